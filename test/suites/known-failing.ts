import type { TestResult } from './tap.ts';

/** A result with its name in the lists: `FILE: NAME`. */
export interface NamedResult extends TestResult {
  readonly key: string;
}

/** What a run says beside its list. */
export interface Comparison {
  /** failed and not listed: these fail the run */
  readonly unexpected: readonly NamedResult[];
  /** listed and passed: the line should go */
  readonly passing: readonly string[];
  readonly known: number;
  readonly passed: number;
  readonly skipped: number;
}

/**
 * Reads a list: lines of `FILE: NAME`, each followed by its reason on lines indented by two spaces. `#` starts a comment line.
 * A line without a reason is an error: a failure that nobody can explain is not known.
 */
export function parseKnownFailing(text: string): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  let key: string | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    if (line.startsWith('  ')) {
      if (key === undefined) throw new Error(`known-failing: a reason before any test: ${line.trim()}`);
      known.set(key, `${known.get(key)} ${line.trim()}`.trim());
      continue;
    }
    if (known.has(line)) throw new Error(`known-failing: ${line} is listed twice`);
    key = line;
    known.set(key, '');
  }
  for (const [name, reason] of known) if (reason === '') throw new Error(`known-failing: ${name} has no reason`);
  return known;
}

export function compare(results: readonly NamedResult[], known: ReadonlyMap<string, string>): Comparison {
  const failed = results.filter(({ outcome }) => outcome === 'not ok');
  return {
    unexpected: failed.filter(({ key }) => !known.has(key)),
    passing: results.filter(({ key, outcome }) => outcome === 'ok' && known.has(key)).map(({ key }) => key),
    known: failed.filter(({ key }) => known.has(key)).length,
    passed: results.filter(({ outcome }) => outcome === 'ok').length,
    skipped: results.filter(({ outcome }) => outcome === 'skip').length,
  };
}
