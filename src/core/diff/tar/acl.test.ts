import { expect, test } from 'bun:test';
import { aclXattr } from './acl.ts';

const entry = (tag: number, permissions: number, id = 0xffff_ffff) => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(tag, 0);
  bytes.writeUInt16LE(permissions, 2);
  bytes.writeUInt32LE(id, 4);
  return bytes;
};
const list = (...entries: Buffer[]) => Buffer.concat([Buffer.from([2, 0, 0, 0]), ...entries]).toString('hex');

test.each<[string, string | undefined]>([
  ['user::rw-,group::r--,other::---', list(entry(1, 6), entry(4, 4), entry(32, 0))],
  [
    'user::rwx\nuser:9:r-x\nuser:lisa:rw-:8\ngroup::r--\ngroup:7:--x\nmask::rwx\nother::r--\n',
    list(entry(1, 7), entry(2, 6, 8), entry(2, 5, 9), entry(4, 4), entry(8, 1, 7), entry(16, 7), entry(32, 4)),
  ],
  ['user::rw-,user:lisa:rw-,group::r--,mask::rw-,other::r--', undefined],
  ['user::rw-,user:4294967295:rw-,group::r--,mask::rw-,other::r--', undefined],
  ['user::rwz', undefined],
  ['', undefined],
])('%p', (text, expected) => {
  expect(aclXattr(text)?.toString('hex')).toBe(expected);
});
