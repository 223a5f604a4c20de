import { expect, test } from 'bun:test';
import { localRuntimes, remoteRuntimes } from './runtimes.ts';

const flags = { addedRuntimes: { crun: '/usr/bin/crun' }, defaultRuntime: 'runc', execRoot: '/run/x' };
const choiceOf = (program: string) => ({ name: `by ${program}`, options: undefined });

test('in process: ours by both of its names, and commands with a state directory of their own', () => {
  const { default: usual, known } = localRuntimes({ ...flags, defaultRuntime: 'crun' });
  expect([usual, [...known.keys()]]).toEqual(['crun', ['runc', 'strake-runc', 'crun']]);
  expect(known.get('runc')?.binary).toBeUndefined();
  expect(known.get('crun')?.binary).toEqual({ path: '/usr/bin/crun', root: '/run/x/runtimes/crun' });
});

test.each([
  ['runc', 'runc', 'io.containerd.runc.v2'],
  ['crun', 'crun', 'io.containerd.runc.v2'],
  ['io.containerd.kata.v2', 'runc', 'io.containerd.kata.v2'],
])('at another containerd, by default %s: %s, and runc is %s', (defaultRuntime, usual, runc) => {
  const runtimes = remoteRuntimes({ ...flags, defaultRuntime }, choiceOf);
  expect([runtimes.default, runtimes.known.get('runc')?.choice.name]).toEqual([usual, runc]);
  expect(runtimes.known.get('crun')?.choice.name).toBe('by /usr/bin/crun');
});
