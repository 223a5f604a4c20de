import { expect, test } from 'bun:test';
import { parseAccessRules } from './access-rules.ts';
import type { Action } from './gate.ts';

const rules = parseAccessRules(`
# who may do what
ann  team/**   pull,push
ann  **        pull
*    public/*  *
-    public/*  pull   # also without a password
`);

test.each([
  ['ann', 'team/a/b', 'push', true],
  ['ann', 'team/a/b', 'delete', false],
  ['ann', 'other', 'pull', true],
  ['bob', 'team/a', 'pull', false],
  ['bob', 'public/a', 'delete', true],
  ['bob', 'public/a/b', 'pull', false],
  ['', 'public/a', 'pull', true],
  ['', 'public/a', 'push', false],
  ['', 'publicxa', 'pull', false],
  ['*', 'team/a', 'pull', false],
] as const satisfies readonly (readonly [string, string, Action, boolean])[])('%s, %s, %s: %p', (user, repository, action, allowed) => {
  expect(rules.may(user, repository, action)).toBe(allowed);
});

test('whether there is anything for everybody', () => {
  expect([rules.forAnonymous, parseAccessRules('ann a pull').forAnonymous]).toEqual([true, false]);
});

test.each([
  ['ann a', 'line 1 of the access rules: it has to be USER PATTERN ACTIONS'],
  ['\nann A pull', 'line 2 of the access rules: "A" can match no name of a repository'],
  ['ann a pull,read', 'line 1 of the access rules: "read" is none of pull, push, delete'],
])('%j', (text, message) => {
  expect(() => parseAccessRules(text)).toThrow(message);
});
