import { expect, test } from 'bun:test';
import { processEnvironment } from './environment.ts';

const cases: readonly (readonly [string, readonly string[], readonly string[], boolean])[] = [
  ['nothing', [], [], false],
  ['the last of equal names, at its place', ['A=1', 'B=2', 'A=3'], ['B=2', 'A=3'], false],
  ['a value with an equals sign, and an empty one', ['A=b=c', 'B='], ['A=b=c', 'B='], false],
  ['HOME', ['HOME=/h', 'A=1'], ['HOME=/h', 'A=1'], true],
  ['an empty HOME is none', ['A=1', 'HOME='], ['A=1'], false],
  ['an empty HOME behind another is none', ['HOME=/h', 'HOME='], [], false],
  ['a HOME behind an empty one', ['HOME=', 'HOME=/h'], ['HOME=/h'], true],
];
for (const [name, given, env, hasHome] of cases) test(name, () => expect(processEnvironment(given)).toEqual({ env, hasHome }));

test('what is no variable is refused', () => {
  expect(() => processEnvironment(['A'])).toThrow("process.env: invalid environment variable: missing '='");
  expect(() => processEnvironment(['=b'])).toThrow('process.env: invalid environment variable: name cannot be empty');
});
