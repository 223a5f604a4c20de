import { expect, test } from 'bun:test';
import { parseGroup, parsePasswd } from './account-files.ts';
import { resolveUser } from './resolve-user.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
www:x:33:34:www:/var/www:/bin/false
# a comment
1000abc:x:1e3:0::/:
-1:x:0:0::/evil:
5:x:6:6:digits:/digits:/bin/sh
huge:x:4294967296:0::/:
broken:x::0
nohome:x:77:77:::`;
const group = `root:x:0:
wheel:x:10:root,admin
www:x:34:
tty:x:5:
extra:x:88:www,root
bad:x:0x0:root`;
const accounts = { users: parsePasswd(passwd), groups: parseGroup(group) };

const good: readonly (readonly [string, readonly string[], ReturnType<typeof resolveUser>])[] = [
  ['', [], { uid: 0, gid: 0, additionalGids: [0, 10, 88], home: '/root' }],
  ['root', [], { uid: 0, gid: 0, additionalGids: [0, 10, 88], home: '/root' }],
  ['0', [], { uid: 0, gid: 0, additionalGids: [0, 10, 88], home: '/root' }],
  ['www', [], { uid: 33, gid: 34, additionalGids: [34, 88], home: '/var/www' }],
  ['33', [], { uid: 33, gid: 34, additionalGids: [34, 88], home: '/var/www' }],
  ['www:wheel', [], { uid: 33, gid: 10, additionalGids: [10], home: '/var/www' }],
  ['www:999', [], { uid: 33, gid: 999, additionalGids: [999], home: '/var/www' }],
  [':wheel', [], { uid: 0, gid: 10, additionalGids: [10], home: '/root' }],
  ['4000', ['tty', '77'], { uid: 4000, gid: 0, additionalGids: [0, 5, 77], home: '/' }],
  ['5', [], { uid: 5, gid: 0, additionalGids: [0], home: '/' }],
  ['2147483647:2147483647', [], { uid: 2147483647, gid: 2147483647, additionalGids: [2147483647], home: '/' }],
  ['nohome', [], { uid: 77, gid: 77, additionalGids: [77], home: '/' }],
];

test.each(good)('user %j with groups %j', (spec, add, expected) => {
  expect(resolveUser(spec, accounts, add)).toEqual(expected);
});

const outOfRange = 'uids and gids must be in range 0-2147483647';
test.each([
  ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
  ['1000abc', 'unable to find user 1000abc: no matching entries in passwd file'],
  ['1e3', 'unable to find user 1e3: no matching entries in passwd file'],
  ['0x0', 'unable to find user 0x0: no matching entries in passwd file'],
  ['huge', 'unable to find user huge: no matching entries in passwd file'],
  ['broken', 'unable to find user broken: no matching entries in passwd file'],
  ['-1', outOfRange],
  ['2147483648', outOfRange],
  ['4294967296', outOfRange],
  ['0:-1', outOfRange],
  ['0:4294967296', outOfRange],
  ['0:none', 'unable to find group none: no matching entries in group file'],
  ['0:bad', 'unable to find group bad: no matching entries in group file'],
])('user %j is refused', (spec, message) => {
  expect(() => resolveUser(spec, accounts)).toThrow(message);
});

test('an added group that is neither a name nor a number is refused', () => {
  expect(() => resolveUser('0', accounts, ['none'])).toThrow('Unable to find group none');
});
