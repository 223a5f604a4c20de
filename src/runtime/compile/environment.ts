import { invalid } from './error.ts';

/**
 * The environment as runc hands it to execve: the last of equal names, in the order of their last places. An empty HOME counts as none; without one the
 * program looks the user up in the container.
 */
export function processEnvironment(entries: readonly string[]): { readonly env: readonly string[]; readonly hasHome: boolean } {
  const seen = new Map<string, string>();
  for (const entry of entries) {
    const end = entry.indexOf('=');
    if (end < 0) throw invalid('process.env', "invalid environment variable: missing '='");
    if (end === 0) throw invalid('process.env', 'invalid environment variable: name cannot be empty');
    const name = entry.slice(0, end);
    // A Map keeps the place of the first.
    seen.delete(name);
    seen.set(name, entry);
  }
  if (seen.get('HOME') === 'HOME=') seen.delete('HOME');
  return { env: [...seen.values()], hasHome: seen.has('HOME') };
}
