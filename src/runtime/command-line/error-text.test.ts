import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { errorText } from './error-text.ts';

const cases: readonly (readonly [() => unknown, string])[] = [
  [() => readFileSync('/nonexistent/config.json'), 'open /nonexistent/config.json: no such file or directory'],
  [() => readdirSync('/etc/passwd'), 'scandir /etc/passwd: not a directory'],
  [() => readFileSync(9999), 'read: bad file descriptor'],
];

test.each(cases)('%p: %s', (fail, text) => {
  try {
    fail();
    expect.unreachable();
  } catch (error) {
    expect(errorText(error)).toBe(text);
  }
});

test('what is no system error says what it says', () => {
  expect(errorText(new Error('container does not exist'))).toBe('container does not exist');
  expect(errorText('text')).toBe('text');
});
