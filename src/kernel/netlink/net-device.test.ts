import { describe, expect, test } from 'bun:test';
import { attribute, message, nlm, raw, stringAttribute, u32Attribute } from './message.ts';
import { listNetDevices, moveNetDevice, type NetDevice, parseNetDevices, restoreNetDevice } from './net-device.ts';

function link(index: number, name: string): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  return message(16, 0, raw(header), u32Attribute(4, 1500), stringAttribute(3, name)).bytes;
}

interface Given {
  readonly family?: number;
  readonly scope?: number;
  readonly flags?: number;
  readonly wideFlags?: number;
}

function address(index: number, bytes: readonly number[], { family = 2, scope = 0, flags = 0x80, wideFlags }: Given = {}): Buffer {
  const header = Buffer.from([family, 24, flags, scope, index, 0, 0, 0]);
  const wide = wideFlags === undefined ? [] : [u32Attribute(8, wideFlags)];
  return message(20, 0, raw(header), attribute(1, Uint8Array.from(bytes)), attribute(2, Uint8Array.from(bytes)), ...wide).bytes;
}

describe('devices of a namespace', () => {
  test('with the addresses that move: permanent and of global scope', () => {
    const devices = parseNetDevices([
      link(1, 'lo'),
      link(7, 'eth0'),
      address(1, [127, 0, 0, 1], { scope: 254 }),
      address(7, [10, 0, 0, 1]),
      address(7, [10, 0, 0, 2], { flags: 0 }),
      address(7, [10, 0, 0, 3], { flags: 0, wideFlags: 0x280 }),
      address(7, [254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], { family: 10, scope: 253 }),
      address(7, [253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], { family: 10 }),
    ]);
    expect(devices.map(({ name, index }) => [name, index])).toEqual([
      ['lo', 1],
      ['eth0', 7],
    ]);
    expect(devices[0]?.addresses).toEqual([]);
    expect(devices[1]?.addresses.map(({ family, prefixLength, address: bytes }) => [family, prefixLength, bytes.toString('hex')])).toEqual([
      [2, 24, '0a000001'],
      [2, 24, '0a000003'],
      [10, 24, 'fd000000000000000000000000000001'],
    ]);
  });

  test('a message that is cut short names no attribute', () => {
    const cut = link(7, 'eth0');
    expect(parseNetDevices([cut.subarray(0, 32)])).toEqual([{ index: 7, name: '', addresses: [] }]);
  });

  test('are asked for by two dumps', () => {
    expect(listNetDevices().map((op) => ('message' in op ? Buffer.from(op.message as Uint8Array).readUInt16LE(6) : 0))).toEqual([
      nlm.request | nlm.dump,
      nlm.request | nlm.dump,
    ]);
  });
});

describe('a device that moves', () => {
  const device: NetDevice = {
    index: 7,
    name: 'eth0',
    addresses: [
      { family: 2, prefixLength: 24, address: Buffer.from([10, 0, 0, 1]) },
      { family: 2, prefixLength: 32, address: Buffer.from([10, 0, 0, 2]) },
    ],
  };

  test('goes by its index, under its new name, to the init', () => {
    const op = moveNetDevice(device, 'lan', 4);
    expect(op).toMatchObject({ op: 'netlink', side: 'host', protocol: 0, ns: 4 });
    const sent = (op as unknown as { readonly message: Buffer }).message;
    expect([sent.readUInt16LE(4), sent.readInt32LE(20), sent.toString('latin1', 36, 39)]).toEqual([16, 7, 'lan']);
  });

  test('has its addresses back by its name, and is up', () => {
    const op = restoreNetDevice(device, 'lan') as unknown as { readonly message: Buffer; readonly linkOffsets: Buffer };
    expect(op).toMatchObject({ op: 'netlink', side: 'init', link: Buffer.from('lan') });
    const offsets = [0, 4].map((at) => op.linkOffsets.readUInt32LE(at));
    // Both lie in the index field of their message: 20 bytes into it.
    expect(offsets).toEqual([20, op.message.readUInt32LE(0) + 20]);
    for (const offset of offsets) expect(op.message.readUInt16LE(offset - 16)).toBe(20);
  });

  test('one without addresses is just brought up', () => expect(restoreNetDevice({ ...device, addresses: [] }, 'lan')).not.toHaveProperty('linkOffsets'));
});
