import { expect, test } from 'bun:test';
import { knownMountOptions, parseMountOptions } from './mount-options.ts';

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
  idMapping: '',
  exact: false,
  sourceNoFollow: false,
  targetNoFollow: false,
  copySymlink: false,
  superblock: 0,
  filesystem: [],
};
const cases: readonly (readonly [string, object])[] = [
  ['', {}],
  ['defaults', {}],
  ['rbind,ro', { bind: 'rbind', set: 0x1, exact: true }],
  // Flags of mount(2): one does not take another away.
  ['rbind,bind', { bind: 'rbind' }],
  ['bind,rw,exec', { bind: 'bind', clear: 0x9, exact: true }],
  ['ro,rw', { clear: 0x1, exact: true }],
  ['rw,ro', { set: 0x1, exact: true }],
  ['nosuid,noexec,nodev', { set: 0xe, exact: true }],
  ['suid,exec,dev,symfollow', { clear: 0x20_000e, exact: true }],
  ['nosymfollow', { set: 0x20_0000, exact: true }],
  // A mode of access times clears the whole field, and what is not named of it; strictatime before noatime before relatime (mount(2)).
  ['noatime', { set: 0x10, clear: 0xf0, exact: true }],
  ['noatime,strictatime', { set: 0x20, clear: 0xf0, exact: true }],
  ['noatime,relatime', { set: 0x10, clear: 0xf0, exact: true }],
  ['relatime', { clear: 0xf0, exact: true }],
  ['nodiratime', { set: 0x80, clear: 0x70, exact: true }],
  ['nodiratime,strictatime', { set: 0xa0, clear: 0x70, exact: true }],
  // One that is turned off leaves the old ones (runc, mount(8)).
  ['atime', { exact: true }],
  ['diratime,norelatime,nostrictatime', { exact: true }],
  ['noatime,atime', { exact: true }],
  ['rro,rnosuid', { recursiveSet: 0x3 }],
  ['rro,rrw', { recursiveClear: 0x1 }],
  ['rnosymfollow,rnodiratime', { recursiveSet: 0x20_0080 }],
  ['rsymfollow,rdiratime', { recursiveClear: 0x20_0080 }],
  ['rnoatime', { recursiveSet: 0x10, recursiveClear: 0x70 }],
  ['rnoatime,rstrictatime', { recursiveSet: 0x20, recursiveClear: 0x70 }],
  ['ratime', { recursiveClear: 0x70 }],
  ['rrelatime', { recursiveClear: 0x70 }],
  ['rnorelatime', { recursiveClear: 0x70 }],
  ['rnostrictatime', { recursiveClear: 0x70 }],
  ['private,rslave', { propagation: [0x4_0000, 0x8_4000] }],
  ['unbindable,runbindable,shared,rshared', { propagation: [0x2_0000, 0x2_4000, 0x10_0000, 0x10_4000] }],
  ['size=64k,mode=755,acl', { filesystem: ['size=64k', 'mode=755', 'acl'] }],
  ['context="a:b:c0,c1"', { filesystem: ['context=a:b:c0,c1'] }],
  ['sync|dirsync|mand|lazytime', { superblock: 0x200_00d0, exact: true }],
  ['iversion|silent', { superblock: 0x80_8000, exact: true }],
  ['sync|async|mand|nomand|lazytime|nolazytime|iversion|noiversion|silent|loud', { exact: true }],
  ['tmpcopyup', { copyUp: true }],
  ['ridmap,bind', { bind: 'bind', idMapped: 'ridmap' }],
  ['bind,idmap', { bind: 'bind', idMapped: 'idmap' }],
  ['bind,idmap=uids=0-1-2;gids=@3-4-5', { bind: 'bind', idMapped: 'idmap', idMapping: 'uids=0-1-2;gids=@3-4-5' }],
  ['remount,bind,ro', { bind: 'bind', remount: true, set: 0x1, exact: true }],
  ['bind,src-nofollow,dest-nofollow,copy-symlink', { bind: 'bind', sourceNoFollow: true, targetNoFollow: true, copySymlink: true }],
  ['constructor', { filesystem: ['constructor'] }],
  ['rsync|rdirsync|rmand|rnomand', { superblock: 0x90 }],
  ['rconstructor|rlazytime', { filesystem: ['rconstructor', 'rlazytime'] }],
];
for (const [text, expected] of cases)
  test(`options ${text}`, () => {
    expect(parseMountOptions(optionsOf(text))).toEqual({ ...none, ...expected } as never);
  });

/** By comma, or by bar where an option has a comma in it. */
function optionsOf(text: string): readonly string[] {
  if (text.includes('"')) return [text];
  return text === '' ? [] : text.split(/[,|]/);
}

/** What runc 1.5 and crun 1.28 know, from their `features`; `acl` is the filesystem's. */
test('every option of the specification is known', () => {
  const specified = [
    ...['async', 'atime', 'bind', 'defaults', 'dev', 'diratime', 'dirsync', 'exec', 'iversion', 'lazytime', 'loud', 'mand', 'noatime', 'nodev', 'nodiratime'],
    ...['noexec', 'noiversion', 'nolazytime', 'nomand', 'norelatime', 'nostrictatime', 'nosuid', 'nosymfollow', 'private', 'ratime', 'rbind', 'rdev'],
    ...['rdiratime', 'relatime', 'remount', 'rexec', 'rnoatime', 'rnodev', 'rnodiratime', 'rnoexec', 'rnorelatime', 'rnostrictatime', 'rnosuid'],
    ...['rnosymfollow', 'ro', 'rprivate', 'rrelatime', 'rro', 'rrw', 'rshared', 'rslave', 'rstrictatime', 'rsuid', 'rsymfollow', 'runbindable', 'rw', 'shared'],
    ...['silent', 'slave', 'strictatime', 'suid', 'symfollow', 'sync', 'tmpcopyup', 'unbindable', 'idmap', 'ridmap'],
  ];
  expect(specified.filter((option) => !knownMountOptions.includes(option))).toEqual([]);
});
