import { expect, test } from 'bun:test';
import { emptyConfig } from './fixtures.ts';
import { mergeConfig } from './merge-config.ts';

const image = {
  Entrypoint: ['/entry'],
  Cmd: ['image-command'],
  Env: ['A=image', 'B=image'],
  User: 'www',
  WorkingDir: '/w',
  Labels: { a: '1', b: '1' },
  Volumes: { '/v': {} },
  StopSignal: 'USR1',
};

test.each([
  [null, null, ['/entry'], ['image-command']],
  [null, ['mine'], ['/entry'], ['mine']],
  [['/own'], null, ['/own'], null],
  [['/own'], ['mine'], ['/own'], ['mine']],
  [[''], ['mine'], null, ['mine']],
  [[], null, [], ['image-command']],
] as const)('entrypoint %j and command %j', (Entrypoint, Cmd, entrypoint, command) => {
  const merged = mergeConfig({ ...emptyConfig, Entrypoint, Cmd }, image);
  expect([merged.Entrypoint, merged.Cmd]).toEqual([entrypoint as never, command as never]);
});

test('what the request says wins; the rest is the image’s', () => {
  expect(mergeConfig({ ...emptyConfig, Env: ['B=mine'], Labels: { b: '2' }, User: '0' }, image)).toMatchObject({
    Env: ['B=mine', 'A=image'],
    Labels: { a: '1', b: '2' },
    User: '0',
    WorkingDir: '/w',
    Volumes: { '/v': {} },
    StopSignal: 'USR1',
  });
});

test.each([
  [{ Entrypoint: [''] }, 'no command specified'],
  [{ WorkingDir: 'relative' }, "the working directory 'relative' is invalid, it needs to be an absolute path"],
  [{ Env: ['=x'] }, 'invalid environment variable: =x'],
  [{ Env: ['HOME=/a\nroot::0:0'] }, 'invalid environment variable: HOME has a line break'],
  [{ StopSignal: 'NONSENSE' }, 'invalid signal: NONSENSE'],
  [{ Hostname: 'a/b' }, 'invalid hostname format: a/b'],
])('%j is refused', (given, message) => {
  expect(() => mergeConfig({ ...emptyConfig, ...given }, image)).toThrow(message);
});

test('a label named __proto__ is a label', () => {
  const labels = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
  expect(Object.entries(mergeConfig({ ...emptyConfig, Labels: labels }, image).Labels)).toContainEqual(['__proto__', 'x']);
});
