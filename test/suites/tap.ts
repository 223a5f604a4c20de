/** One assertion of a suite: its name, how it ended, and what the suite said about it. */
export interface TestResult {
  readonly name: string;
  readonly outcome: 'ok' | 'not ok' | 'skip';
  /** the reason of a skip, or the diagnostics below a failure */
  readonly detail: string;
}

/**
 * Reads TAP (testanything.org, versions 12 and 13): assertions with their directives and the diagnostics after them. Names that occur again get
 * ` (2)`, ` (3)` …, so that each is one line in a list.
 * What no assertion says is one of its own, `exit`: a program that failed beside its assertions, gave fewer than its plan, or printed an error
 * without an assertion (as runtime-tools' hook tests do); and, as a pass, one that ended well and asserted nothing.
 */
export function parseTap(text: string, exitCode: number): TestResult[] {
  const results: { name: string; outcome: TestResult['outcome']; detail: string }[] = [];
  const seen = new Map<string, number>();
  const unasserted: string[] = [];
  let planned: number | undefined;
  for (const line of text.split('\n')) {
    const plan = /^1\.\.(\d+)/.exec(line);
    if (plan) planned = Number(plan[1]);
    if (plan || line.trim() === '' || line.startsWith('TAP version')) continue;
    const assertion = /^(not ok|ok)\b(?: +\d+)?(?: +-)? *(.*)$/.exec(line);
    if (!assertion) {
      const last = results.at(-1);
      if (last === undefined) unasserted.push(line);
      else if (last.outcome === 'not ok') last.detail += `${last.detail === '' ? '' : '\n'}${line}`;
      continue;
    }
    const [, word, told = ''] = assertion;
    const rest = told.replace(/ # (timeout after \d+s|\d+\.\d+s)$/, ''); // bats, of a test that it ended; crun, of each
    const [, title = '', directive, reason = ''] = /^(.*?)(?: *(?<!\\)# *(skip|todo)\S*:? *(.*))?$/i.exec(rest) ?? [];
    const count = (seen.get(title) ?? 0) + 1;
    seen.set(title, count);
    const outcome = directive?.toLowerCase() === 'skip' ? 'skip' : word === 'ok' ? 'ok' : 'not ok';
    results.push({ name: count === 1 ? title : `${title} (${count})`, outcome, detail: reason });
  }
  const problem = beyondAssertions(results, unasserted, planned, exitCode);
  if (problem !== undefined) results.push({ name: 'exit', outcome: 'not ok', detail: problem });
  else if (results.length === 0) results.push({ name: 'exit', outcome: 'ok', detail: '' });
  return results;
}

function beyondAssertions(results: readonly TestResult[], unasserted: readonly string[], planned: number | undefined, exitCode: number): string | undefined {
  if (unasserted.some((line) => /^\s*"error":/.test(line))) return unasserted.join('\n');
  if (exitCode !== 0 && !results.some(({ outcome }) => outcome === 'not ok')) return `exit status ${exitCode}`;
  if (planned === undefined || planned > results.length) return `${results.length} results of ${planned ?? 'an unknown number'}, exit status ${exitCode}`;
  return undefined;
}
