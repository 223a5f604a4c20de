import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Call, childrenOf, explainMismatch, matchEnds, parsePattern, readTrace, type Step } from './strace.ts';

const log = `10 clone3({flags=CLONE_NEWNS}, 88) = 11
10 read(3,  <unfinished ...>
11 mount(NULL, "/", NULL, MS_REC|MS_SLAVE, NULL) = 0
11 --- SIGCHLD {si_signo=SIGCHLD} ---
10 <... read resumed>"x", 1) = 1
11 fsopen("proc", 0) = 5
11 +++ exited with 0 +++
`;

test('a trace is read into calls', () => {
  const dir = mkdtempSync(join(tmpdir(), 'strake-strace-'));
  writeFileSync(join(dir, 'log'), log);
  const calls = readTrace(join(dir, 'log'));
  rmSync(dir, { recursive: true });
  expect(calls.map((call) => `${call.pid} ${call.name}`)).toEqual(['10 clone3', '10 read', '11 mount', '11 fsopen']);
  expect(calls[1]?.text).toBe('(3, "x", 1) = 1');
  expect(childrenOf(calls, 10)).toEqual([11]);
});

const named = (names: string): Call[] =>
  names
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => ({ pid: 1, name, text: `("${name}")` }));

test('a pattern says where its match can end', () => {
  const cases: readonly (readonly [pattern: string, calls: string, ends: readonly number[]])[] = [
    ['a b', 'a b c', [2]],
    ['a b', 'a c', []],
    ['a*', 'a a b', [2, 1, 0]],
    ['a [b c] d', 'a d', [2]],
    ['a [b c] d', 'a b d', []],
    ['(a|b c)* d', 'a b c a d', [5]],
    ['[a|b]', 'b', [1, 0]],
    ['[a [b]*] c', 'a b b c', [4]],
  ];
  for (const [pattern, calls, expected] of cases) expect([pattern, matchEnds(named(calls), 0, parsePattern(pattern))]).toEqual([pattern, [...expected]]);
  for (const wrong of ['a [b', 'a )', '(a|b]', 'a-b', '*']) expect(() => parsePattern(wrong)).toThrow('not a pattern of system calls');
});

test('steps must cover a trace from its first call to its last', () => {
  const steps: readonly Step[] = [
    { name: 'one', pattern: '[a|b]*' },
    { name: 'two', pattern: 'a b', wrong: (taken) => (taken.length === 2 ? undefined : 'never') },
  ];
  expect(explainMismatch(named('a b b a b'), steps)).toBeUndefined();
  expect(explainMismatch(named('a b c'), steps)).toBe('nothing more, but strace saw c("c")');
  expect(explainMismatch(named('a c'), steps)).toBe('two: wants a b; strace saw c("c")');
  expect(explainMismatch(named('a b'), [{ name: 'one', pattern: 'a b', wrong: () => 'no target' }])).toBe('one: no target in a("a"); b("b")');
});
