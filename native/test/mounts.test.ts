// Mount operations between two processes, and on what is mounted already.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { container, leftovers, makeRoot, namespaceFlags, runProgram } from './harness.ts';

const { EBADF, EINVAL, ENOENT } = constants.errno;
const unshareMounts: Op = { op: 'unshare', side: 'host', flags: namespaceFlags.mount };
const privateMounts: Op = { op: 'propagation', side: 'host', path: '/', flags: 0x4_4000 };

let root: ReturnType<typeof makeRoot>;
beforeEach(() => {
  root = makeRoot();
  mkdirSync(path.join(root.root, 'mnt'));
});
afterEach(() => {
  expect(leftovers(root.dir)).toEqual([]);
  root.remove();
});

async function failure(ops: readonly Op[]) {
  const [report] = (await runProgram(ops)).reports;
  return report?.failedIndex === undefined ? undefined : { errno: report.errno, detail: report.detail };
}

test('a detached bind goes on its target, and away', async () => {
  writeFileSync(path.join(root.dir, 'file'), 'content');
  const open: Op = { op: 'open', side: 'host', out: 0, path: root.root, flags: 0o10_200_000, mode: 0 };
  const target = '/mnt/made';
  const ops: Op[] = [
    unshareMounts,
    privateMounts,
    open,
    { op: 'bind_source', side: 'host', out: 1, source: `${root.dir}/file`, set: 1, propagation: 0x4_0000 },
    { op: 'attach', side: 'host', fd: 1, root: 0, target, create: 3 },
    { op: 'umount_in', side: 'host', root: 0, target },
  ];
  expect(await failure(ops)).toBeUndefined();
  expect(await failure([...ops, { op: 'umount_in', side: 'host', root: 0, target }])).toEqual({
    errno: EINVAL,
    detail: 'umount of /mnt/made: it is not a mount point',
  });
});

test('empty slots and missing things are named', async () => {
  const attach: Op = { op: 'attach', side: 'host', fd: 7, target: root.root };
  expect(await failure([attach])).toEqual({ errno: EBADF, detail: 'mount slot 7 is empty' });
  const source: Op = { op: 'bind_source', side: 'host', out: 1, source: `${root.dir}/none` };
  expect(await failure([source])).toEqual({ errno: ENOENT, detail: `bind source ${root.dir}/none` });
  const mapped: Op = { op: 'mount_bind', side: 'init', root: 0, target: '/mnt', source: root.root, userns: 3, helper: 4 };
  expect(await failure(container(root.dir, { mounts: [mapped] }))).toEqual({
    errno: EBADF,
    detail: `error mounting "${root.root}" to rootfs at "/mnt": slot 4 of the mount helper is empty`,
  });
});

test('an id map that the kernel refuses is shown', async () => {
  const userns: Op = { op: 'userns', side: 'host', out: 1, uids: '0 0 0\n', gids: '0 0 1\n' };
  expect(await failure([userns])).toEqual({ errno: EINVAL, detail: 'id mappings of a mount: uids 0 0 0\n, gids 0 0 1\n' });
});

test('a remount names the option that is refused', async () => {
  const mounts: Op[] = [
    { op: 'mount_fs', side: 'init', root: 0, target: '/mnt', fstype: 'tmpfs', source: 'tmpfs' },
    { op: 'remount_fs', side: 'init', root: 0, target: '/mnt', options: ['size=banana'] },
  ];
  expect(await failure(container(root.dir, { mounts }))).toEqual({
    errno: EINVAL,
    detail: "remount of /mnt with size=banana: tmpfs: Bad value for 'size'",
  });
});

test('the helper opens, maps and makes in turn, and ends with the last end of its socket', async () => {
  const device = (name: string, minor: number): Op => ({
    op: 'mknod_in',
    side: 'init',
    root: 0,
    path: `/dev/${name}`,
    mode: 0o20604,
    major: 1,
    minor,
    uid: 0,
    gid: 0,
    flags: 1,
    helper: 4,
  });
  const bind = (target: string): Op => ({ op: 'mount_bind', side: 'init', root: 0, target, source: root.root, userns: 3, helper: 4, create: 1 });
  const ops = container(root.dir, {
    argv: ['stat', '-c', '%n %a %u %t:%T', '/mnt/etc', '/dev/one', '/other/etc', '/dev/two'],
    hostBeforeInit: [{ op: 'close', side: 'host', fd: 4 }],
    mounts: [bind('/mnt'), device('one', 5), bind('/other'), device('two', 7), { op: 'close', side: 'init', fd: 4 }],
  });
  const { stdout, reports } = await runProgram([
    { op: 'userns', side: 'host', out: 3, uids: '0 9 10\n', gids: '0 9 10\n' },
    { op: 'mount_helper', side: 'host', out: 4 },
    ...ops,
  ]);
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe('/mnt/etc 755 9 0:0\n/dev/one 604 0 1:5\n/other/etc 755 9 0:0\n/dev/two 604 0 1:7\n');
});
