import { expect, test } from 'bun:test';
import { parseMountOptions } from './mount-options.ts';

const none = {
  bind: 'no',
  remount: false,
  set: 0,
  clear: 0,
  recursiveSet: 0,
  recursiveClear: 0,
  propagation: [],
  copyUp: false,
  idMapped: 'no',
  sourceNoFollow: false,
  filesystem: [],
};
const cases: readonly (readonly [string, object])[] = [
  ['', {}],
  ['defaults', {}],
  ['rbind,ro', { bind: 'rbind', set: 0x1 }],
  ['bind,rw,exec', { bind: 'bind', clear: 0x9 }],
  ['ro,rw', { clear: 0x1 }],
  ['rw,ro', { set: 0x1 }],
  ['nosuid,noexec,nodev', { set: 0xe }],
  ['noatime', { set: 0x10, clear: 0x70 }],
  ['noatime,strictatime', { set: 0x20, clear: 0x70 }],
  ['noatime,relatime', { set: 0, clear: 0x70 }],
  ['rro,rnosuid', { recursiveSet: 0x3 }],
  ['rro,rrw', { recursiveClear: 0x1 }],
  ['private,rslave', { propagation: [0x4_0000, 0x8_4000] }],
  ['size=64k,mode=755,sync', { filesystem: ['size=64k', 'mode=755', 'sync'] }],
  ['tmpcopyup', { copyUp: true }],
  ['ridmap,bind', { bind: 'bind', idMapped: 'ridmap' }],
  ['remount,bind,ro', { bind: 'bind', remount: true, set: 0x1 }],
  ['constructor', { filesystem: ['constructor'] }],
];
for (const [text, expected] of cases)
  test(`options ${text}`, () => {
    expect(parseMountOptions(text === '' ? [] : text.split(','))).toEqual({ ...none, ...expected } as never);
  });
