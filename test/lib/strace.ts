import { readFileSync } from 'node:fs';

/** One system call as strace printed it. */
export interface Call {
  readonly pid: number;
  readonly name: string;
  /** The arguments and the result, as text. */
  readonly text: string;
}

/** The calls in a `strace -f -o FILE` log, in order of their start; a call that was interrupted by another process's is one call. */
export function readTrace(file: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<number, { name: string; text: string; at: number }>();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, pidText = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const pid = Number(pidText);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed) {
      const begun = open.get(pid);
      open.delete(pid);
      if (begun) calls[begun.at] = { pid, name: begun.name, text: begun.text + resumed[2] };
      continue;
    }
    const [, name = '', text = ''] = /^(\w+)(\(.*)$/.exec(rest) ?? [];
    if (name === '') continue; // a signal or an exit
    if (text.includes('<unfinished ...>')) open.set(pid, { name, text: text.replace(/ ?<unfinished \.\.\.>$/, ''), at: calls.length });
    calls.push({ pid, name, text });
  }
  return calls;
}

/** Children of `pid` in the trace, in order: results of its clone, clone3, fork and vfork. */
export function childrenOf(calls: readonly Call[], pid: number): number[] {
  return calls
    .filter((call) => call.pid === pid && /^(clone3?|v?fork)$/.test(call.name))
    .map((call) => Number(/= (\d+)[^=]*$/.exec(call.text)?.[1] ?? 0))
    .filter((child) => child > 0);
}

/** What calls an operation makes, as native/ops.def writes it: a regular expression over the names of system calls. */
type Pattern =
  | { readonly kind: 'call'; readonly name: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly choices: readonly Pattern[] }
  | { readonly kind: 'repeated'; readonly of: Pattern };

const nothing: Pattern = { kind: 'sequence', parts: [] };

/** `a [b c] (d|e f)* g*`: in brackets sometimes, in parentheses always, a bar between choices, a star any number of times. */
export function parsePattern(text: string): Pattern {
  const tokens = text.match(/\w+|[[\]()|*]|\S/g) ?? [];
  let at = 0;
  const choice = (): Pattern => {
    const choices = [sequence()];
    while (tokens[at] === '|') {
      at += 1;
      choices.push(sequence());
    }
    return choices.length === 1 ? (choices[0] as Pattern) : { kind: 'choice', choices };
  };
  const sequence = (): Pattern => {
    const parts: Pattern[] = [];
    for (let token = tokens[at]; token !== undefined && !/[\])|]/.test(token); token = tokens[at]) {
      let part = item(token);
      if (tokens[at] === '*') {
        at += 1;
        part = { kind: 'repeated', of: part };
      }
      parts.push(part);
    }
    return { kind: 'sequence', parts };
  };
  const item = (token: string): Pattern => {
    at += 1;
    if (/^\w+$/.test(token)) return { kind: 'call', name: token };
    const closing = token === '[' ? ']' : token === '(' ? ')' : undefined;
    const inner = choice();
    if (closing === undefined || tokens[at] !== closing) throw new Error(`not a pattern of system calls: ${text}`);
    at += 1;
    return token === '[' ? { kind: 'choice', choices: [inner, nothing] } : inner;
  };
  const pattern = choice();
  if (at !== tokens.length) throw new Error(`not a pattern of system calls: ${text}`);
  return pattern;
}

/** Every position at which a match of `pattern` that begins at `from` can end, the farthest first. */
export function matchEnds(calls: readonly Call[], from: number, pattern: Pattern): number[] {
  return [...ends(calls, new Set([from]), pattern)].sort((a, b) => b - a);
}

function ends(calls: readonly Call[], starts: ReadonlySet<number>, pattern: Pattern): Set<number> {
  switch (pattern.kind) {
    case 'call':
      return new Set([...starts].filter((at) => calls[at]?.name === pattern.name).map((at) => at + 1));
    case 'sequence':
      return pattern.parts.reduce((positions, part) => ends(calls, positions, part), new Set(starts));
    case 'choice':
      return new Set(pattern.choices.flatMap((one) => [...ends(calls, starts, one)]));
    case 'repeated': {
      const all = new Set(starts);
      for (let reached: ReadonlySet<number> = starts; reached.size > 0; ) {
        reached = new Set([...ends(calls, reached, pattern.of)].filter((at) => !all.has(at)));
        for (const at of reached) all.add(at);
      }
      return all;
    }
  }
}

/** A part of a trace: the calls that it makes, and what is wrong with a run of calls that has their names (undefined: nothing). */
export interface Step {
  readonly name: string;
  readonly pattern: string;
  readonly wrong?: (taken: readonly Call[]) => string | undefined;
}

/** Whether `calls`, all of them, are the steps one after the other. Answers what stands in the way of the longest match, or undefined. */
export function explainMismatch(calls: readonly Call[], steps: readonly Step[]): string | undefined {
  const patterns = steps.map(({ pattern }) => parsePattern(pattern));
  const failed = new Set<string>();
  let farthest = { step: -1, at: -1, why: '' };
  const note = (step: number, at: number, why: string): void => {
    if (step > farthest.step || (step === farthest.step && at > farthest.at)) farthest = { step, at, why };
  };
  const match = (index: number, at: number): boolean => {
    const step = steps[index];
    const pattern = patterns[index];
    if (step === undefined || pattern === undefined) {
      if (at === calls.length) return true;
      note(index, at, `nothing more, but strace saw ${describe(calls.slice(at))}`);
      return false;
    }
    if (failed.has(`${index}:${at}`)) return false;
    const candidates = matchEnds(calls, at, pattern);
    if (candidates.length === 0) note(index, at, `${step.name}: wants ${step.pattern}; strace saw ${describe(calls.slice(at))}`);
    for (const end of candidates) {
      const wrong = step.wrong?.(calls.slice(at, end));
      if (wrong !== undefined) note(index, at, `${step.name}: ${wrong} in ${describe(calls.slice(at, end))}`);
      else if (match(index + 1, end)) return true;
    }
    failed.add(`${index}:${at}`);
    return false;
  };
  return match(0, 0) ? undefined : farthest.why;
}

function describe(calls: readonly Call[]): string {
  const shown = calls.slice(0, 8).map((call) => call.name + call.text.slice(0, 160));
  return `${shown.join('; ') || 'nothing'}${calls.length > shown.length ? `; and ${calls.length - shown.length} more` : ''}`;
}
