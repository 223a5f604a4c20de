import { expect, test } from 'bun:test';
import { parseListening } from './unix-sockets.ts';

test('listening sockets by their inode', () => {
  const table = `Num       RefCount Protocol Flags    Type St Inode Path
ffff8f: 00000002 00000000 00010000 0001 01 101 /run/a b.sock
ffff90: 00000003 00000000 00000000 0001 03 102 /run/a b.sock
ffff91: 00000002 00000000 00010000 0005 01 103 @abstract
ffff92: 00000002 00000000 00010000 0001 01 104
`;
  expect([...parseListening(table)]).toEqual([
    ['101', '/run/a b.sock'],
    ['103', '@abstract'],
  ]);
});
