import { expect, test } from 'bun:test';
import { acknowledgement, criuRequest } from './criu-request.ts';

/** The fields of a message, by number: numbers of varints, bytes of the rest (the encoding's two wire types that criu's messages have). */
function decode(message: Uint8Array): ReadonlyMap<number, readonly (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const value = varint();
    const field = key & 2 ? message.subarray(at, at + value) : value;
    if (key & 2) at += value;
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), field]);
  }
  return fields;
}

const text = (value: number | Uint8Array | undefined) => Buffer.from(value as Uint8Array).toString();

test('a dump: its pid, its switches, and what it leaves out', () => {
  const request = decode(
    criuRequest('dump', {
      imagesDirFd: 200,
      workDirFd: 201,
      pid: 4321,
      logFile: 'dump.log',
      root: '/rootfs',
      manageCgroupsMode: 3,
      externalMounts: [['/data', '/data']],
      external: ['net[42]:extRootNetNS'],
      flags: { leaveRunning: true, fileLocks: true },
    }),
  );
  expect(request.get(1)).toEqual([1]);
  const options = decode(request.get(2)?.[0] as Uint8Array);
  expect([1, 2, 17, 3, 8, 5, 34, 38, 50].map((field) => options.get(field)?.[0])).toEqual([200, 4321, 201, 1, 1, 0, 3, 0x4000_0000, 1]);
  expect([text(options.get(10)?.[0]), text(options.get(13)?.[0]), text(options.get(37)?.[0])]).toEqual(['dump.log', '/rootfs', 'net[42]:extRootNetNS']);
  const mount = decode(options.get(23)?.[0] as Uint8Array);
  expect([text(mount.get(1)?.[0]), text(mount.get(2)?.[0])]).toEqual(['/data', '/data']);
  expect(options.has(44)).toBe(false);
});

test('a restore: inherited descriptors by their keys', () => {
  const request = decode(
    criuRequest('restore', {
      imagesDirFd: 200,
      logFile: 'restore.log',
      root: '/r',
      manageCgroupsMode: 0,
      inheritedFds: [['pipe:[7]', 1]],
      flags: { rstSibling: true },
    }),
  );
  expect(request.get(1)).toEqual([2]);
  const options = decode(request.get(2)?.[0] as Uint8Array);
  expect(options.get(26)).toEqual([1]);
  const inherited = decode(options.get(27)?.[0] as Uint8Array);
  expect([text(inherited.get(1)?.[0]), inherited.get(2)]).toEqual(['pipe:[7]', [1]]);
});

test('the answer to a notification', () =>
  expect(decode(acknowledgement)).toEqual(
    new Map([
      [1, [6]],
      [3, [1]],
    ]),
  ));
