import { UsageError } from './usage-error.ts';

/** `--filter name=value` flags as the Engine API's JSON; undefined without any. */
export function filterQuery(filters: readonly string[], extra: Readonly<Record<string, readonly string[]>> = {}): string | undefined {
  const all: Record<string, string[]> = Object.fromEntries(Object.entries(extra).map(([name, values]) => [name, [...values]]));
  for (const filter of filters) {
    const index = filter.indexOf('=');
    if (index < 0)
      throw new UsageError(`invalid argument "${filter}" for "-f, --filter" flag: invalid filter '${filter}': bad format of filter (expected name=value)`);
    const name = filter.slice(0, index).trim().toLowerCase();
    all[name] = [...(all[name] ?? []), filter.slice(index + 1).trim()];
  }
  return Object.keys(all).length > 0 ? JSON.stringify(all) : undefined;
}
