import { expect, test } from 'bun:test';
import { parseShimFlags } from './flags.ts';

const none = { action: '', namespace: '', id: '', bundle: '', address: '', directory: '', debug: false, version: false, info: false };

test.each([
  [
    ['-namespace', 'default', '-address', '/c.sock', '-publish-binary', '/usr/bin/containerd', '-id', 'c1', '-debug', 'start'],
    { ...none, namespace: 'default', address: '/c.sock', id: 'c1', debug: true, action: 'start' },
  ],
  [['--namespace=default', '-id=c1', '-bundle', '/b', 'delete'], { ...none, namespace: 'default', id: 'c1', bundle: '/b', action: 'delete' }],
  [['-v'], { ...none, version: true }],
  [['-info'], { ...none, info: true }],
])('%j', (args, flags) => {
  expect(parseShimFlags(args)).toEqual(flags);
});

test('a flag that is none is refused', () => {
  expect(() => parseShimFlags(['-loud', 'start'])).toThrow();
});
