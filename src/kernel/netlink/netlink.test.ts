import { expect, test } from 'bun:test';
import { interfaceName, macBytes, parseIpv4Prefix } from './addresses.ts';
import { matchInterface, replaceTable, verdict } from './nftables.ts';
import { routeOperation } from './operation.ts';
import { addAddress, addRoute, createVeth, deleteLink } from './rtnetlink.ts';

/** The messages of an operation: type, flags, length. */
function headers(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const found: string[] = [];
  for (let at = 0; at < buffer.length; at += (buffer.readUInt32LE(at) + 3) & ~3)
    found.push(`${buffer.readUInt16LE(at + 4)} 0x${buffer.readUInt16LE(at + 6).toString(16)} ${buffer.readUInt32LE(at)}`);
  return found;
}

test('an address, byte for byte', () => {
  expect(addAddress(2, parseIpv4Prefix('172.17.0.2/16')).bytes.toString('hex')).toBe(
    [
      '30000000' + '1400' + '0506' + '00000000' + '00000000', // nlmsghdr: 48 bytes, RTM_NEWADDR, REQUEST|ACK|EXCL|CREATE
      '02' + '10' + '00' + '00' + '02000000', // ifaddrmsg
      '0800' + '0200' + 'ac110002', // IFA_LOCAL
      '0800' + '0100' + 'ac110002', // IFA_ADDRESS
      '0800' + '0400' + 'ac11ffff', // IFA_BROADCAST
    ].join(''),
  );
});

test('the init’s pid goes where IFLA_NET_NS_PID has its value, also in a later message', () => {
  const veth = createVeth({ name: 'veth0', master: 7, mtu: 1500, peer: { name: 'eth0', index: 2, mac: '02:42:ac:11:00:02', namespace: 'init' } });
  const before = deleteLink('veth0');
  const op = routeOperation([before, veth]);
  if (op.op !== 'netlink') throw new Error(op.op);
  const offset = Buffer.from(op.pidOffsets ?? []).readUInt32LE(0);
  expect(op.pidOffsets?.length).toBe(4);
  // struct nlattr { u16 len = 8; u16 type = IFLA_NET_NS_PID } stands before it
  expect(Buffer.from(op.message.subarray(offset - 4, offset + 4)).toString('hex')).toBe('0800' + '1300' + '00000000');
});

test('a namespace by its slot: the descriptor goes where IFLA_NET_NS_FD has its value', () => {
  const op = routeOperation([createVeth({ name: 'veth0', peer: { name: 'eth0', namespace: 'target' } })], { target: 5 });
  if (op.op !== 'netlink') throw new Error(op.op);
  const offset = Buffer.from(op.targetOffsets ?? []).readUInt32LE(0);
  expect([op.target, op.pidOffsets]).toEqual([5, undefined]);
  expect(Buffer.from(op.message.subarray(offset - 4, offset + 4)).toString('hex')).toBe('0800' + '1c00' + '00000000');
});

test('several messages in one operation, its flags and its side', () => {
  const op = routeOperation([addAddress(2, parseIpv4Prefix('10.0.0.2/24')), addRoute(2, parseIpv4Prefix('0.0.0.0/0'), 0x0a000001)], {
    side: 'init',
    ignoreExisting: true,
    ns: 3,
  });
  expect(op).toMatchObject({ op: 'netlink', side: 'init', protocol: 0, flags: 2, ns: 3 });
  expect('pidOffsets' in op).toBe(false);
  expect(op.op === 'netlink' && headers(op.message)).toEqual(['20 0x605 48', '24 0x605 44']);
});

test('an nftables transaction is a batch whose middle is acknowledged', () => {
  const chain = {
    name: 'c',
    type: 'filter',
    hook: 'forward',
    priority: 0,
    policy: 'accept',
    rules: [[...matchInterface('in', 'br0'), verdict('drop')]],
  } as const;
  expect(headers(replaceTable('t', [chain]).bytes).map((line) => line.replace(/ \d+$/, ''))).toEqual([
    '16 0x1',
    '2560 0x405',
    '2562 0x5',
    '2560 0x405',
    '2563 0x405',
    '2566 0xc05',
    '17 0x1',
  ]);
});

test.each(['', 'a/b', 'a b', 'abcdefghijklmnop', '.', '..', 'a:b', 'ö'.repeat(8)])('refuses the interface name %p', (name) =>
  expect(() => interfaceName(name)).toThrow(`invalid interface name ${JSON.stringify(name)}`),
);
test.each(['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/8', '::1', ' 1.2.3.4'])('refuses the address %p', (text) =>
  expect(() => parseIpv4Prefix(text)).toThrow('invalid IPv4 address'),
);
test.each(['', '02:42:ac:11:00', '02-42-ac-11-00-02', '02:42:ac:11:00:0g'])('refuses the MAC address %p', (text) =>
  expect(() => macBytes(text)).toThrow(`invalid MAC address ${JSON.stringify(text)}`),
);
