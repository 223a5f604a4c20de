// Root filesystems that try to make the set-up mount, write or read outside of them. The canary is a directory of the host.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { container, leftovers, makeRoot, runProgram } from './harness.ts';

const { ELOOP, EPERM, EEXIST, ENOTDIR, ENOENT } = constants.errno;
let root: ReturnType<typeof makeRoot>;
let canary: string;

beforeEach(() => {
  root = makeRoot();
  canary = path.join(root.dir, 'canary');
  mkdirSync(canary);
  writeFileSync(path.join(canary, 'file'), 'untouched');
});
afterEach(() => {
  expect(leftovers(root.dir)).toEqual([]);
  expect(readdirSync(canary)).toEqual(['file']);
  expect(readFileSync(path.join(canary, 'file'), 'utf8')).toBe('untouched');
  root.remove();
});

function link(name: string, target: string): void {
  const file = path.join(root.root, name);
  rmSync(file, { recursive: true, force: true });
  symlinkSync(target, file);
}

async function failure(ops: readonly Op[]): Promise<{ errno: number; detail: string } | undefined> {
  const { reports } = await runProgram(ops);
  const report = reports[0];
  return report?.failedIndex === undefined ? undefined : { errno: report.errno, detail: report.detail };
}

/** As runc words the failure of a mount. */
function inWords(source: string, target: string, why: string): string {
  return `error mounting "${source}" to rootfs at "${target}": ${why}`;
}

test('proc and sysfs are not mounted through a link', async () => {
  link('proc', 'tmp');
  expect(await failure(container(root.dir))).toEqual({
    errno: ELOOP,
    detail: inWords('proc', '/proc', '/proc is a symbolic link in the root filesystem: filesystem "proc" must be mounted on ordinary directory'),
  });
  rmSync(path.join(root.root, 'proc'));
  mkdirSync(path.join(root.root, 'proc'));
  link('sys', canary);
  const sysfs: Op = { op: 'mount_fs', side: 'init', root: 0, target: '/sys', fstype: 'sysfs', source: 'sysfs', create: 1 };
  expect(await failure(container(root.dir, { mounts: [sysfs] }))).toEqual({
    errno: ELOOP,
    detail: inWords('sysfs', '/sys', '/sys is a symbolic link in the root filesystem: filesystem "sysfs" must be mounted on ordinary directory'),
  });
});

test('nothing is mounted into /proc by way of a link', async () => {
  link('tmp', '/proc/self/attr');
  const tmpfs: Op = { op: 'mount_fs', side: 'init', root: 0, target: '/tmp', fstype: 'tmpfs', source: 'tmpfs', create: 1 };
  expect(await failure(container(root.dir, { mounts: [tmpfs] }))).toEqual({
    errno: EPERM,
    detail: inWords('tmpfs', '/tmp', 'mount point /tmp leads into /proc by a symbolic link'),
  });
});

test('mount points and directories behind links stay inside the root', async () => {
  link('out', canary);
  link('up', '../../../../../../..');
  const ops = container(root.dir, {
    argv: ['ls', `${canary}`],
    mounts: [
      { op: 'mkdir_in', side: 'init', root: 0, path: '/out/made', mode: 0o755, uid: 0, gid: 0 },
      { op: 'mkdir_in', side: 'init', root: 0, path: `/up${canary}/up`, mode: 0o755, uid: 0, gid: 0 },
      { op: 'mount_fs', side: 'init', root: 0, target: '/out/mounted', fstype: 'tmpfs', source: 'tmpfs', create: 1 },
      { op: 'mount_bind', side: 'init', root: 0, target: '/out/file', source: '/etc/hostname', create: 2 },
    ],
  });
  const { stdout, reports } = await runProgram(ops);
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe('file\nmade\nmounted\nup\n');
});

test('links in a circle and a parent that is a file are errors', async () => {
  link('a', 'b');
  link('b', 'a');
  const at = (target: string): Op => ({ op: 'mount_fs', side: 'init', root: 0, target, fstype: 'tmpfs', source: 'tmpfs', create: 1 });
  expect(await failure(container(root.dir, { mounts: [at('/a/x')] }))).toEqual({ errno: ELOOP, detail: inWords('tmpfs', '/a/x', 'mount point /a/x') });
  expect(await failure(container(root.dir, { mounts: [at('/bin/busybox/x')] }))).toEqual({
    errno: ENOTDIR,
    detail: inWords('tmpfs', '/bin/busybox/x', 'mount point /bin/busybox/x'),
  });
  expect(await failure(container(root.dir, { mounts: [at('/none/../x')] }))).toEqual({
    errno: ENOENT,
    detail: inWords('tmpfs', '/none/../x', 'mount point /none/../x'),
  });
});

test('a null device that is something else covers nothing', async () => {
  const fake: Op[] = [
    { op: 'mknod_in', side: 'init', root: 0, path: '/dev/other', mode: 0o100644, major: 0, minor: 0, uid: 0, gid: 0 },
    { op: 'mount_bind', side: 'init', root: 0, target: '/dev/null', source: `${canary}/file` },
  ];
  expect(await failure(container(root.dir, { mounts: fake, inside: [{ op: 'mask_path', side: 'init', path: '/proc/uptime' }] }))).toEqual({
    errno: EPERM,
    detail: '/dev/null of the container is not the null device',
  });
});

/** The devices go into the image's own /dev, not into a new tmpfs. */
const onImageDev = (ops: readonly Op[]) => ops.filter((op) => !(op.op === 'mount_fs' && op.target === '/dev') && op.op !== 'symlink_in');

test('an image entry with a device name is not taken for the device', async () => {
  link('dev/null', `${canary}/file`);
  expect(await failure(onImageDev(container(root.dir)))).toEqual({ errno: EEXIST, detail: '/dev/null exists and is a symbolic link' });
  rmSync(path.join(root.root, 'dev/null'));
  writeFileSync(path.join(root.root, 'dev/null'), '');
  expect(await failure(onImageDev(container(root.dir)))).toEqual({ errno: EEXIST, detail: '/dev/null exists and is something else' });
});

const terminal: Op = { op: 'terminal', side: 'init', rows: 0, cols: 0, console: 1 };

test('/dev/console as a link is not followed', async () => {
  link('dev/console', `${canary}/console`);
  expect(await failure(onImageDev(container(root.dir, { inside: [{ op: 'setsid', side: 'init' }, terminal] })))).toEqual({
    errno: EPERM,
    detail: '/dev/console of the container is neither a file nor a device',
  });
});

test('a ptmx outside of a devpts is not used', async () => {
  mkdirSync(path.join(root.root, 'dev/pts'));
  const fake: Op[] = [{ op: 'mknod_in', side: 'init', root: 0, path: '/dev/pts/ptmx', mode: 0o20666, major: 1, minor: 3, uid: 0, gid: 0 }];
  const ops = onImageDev(container(root.dir, { mounts: fake, inside: [{ op: 'setsid', side: 'init' }, terminal] })).filter(
    (op) => !(op.op === 'mount_fs' && op.target === '/dev/pts'),
  );
  expect(await failure(ops)).toEqual({ errno: EPERM, detail: '/dev/pts/ptmx of the container is not in a devpts' });
});

test.each(['/proc/self/fd/0', '/proc/self/fd/3', '/proc/self/fd/4', '/proc/self/fd/7', '/proc/1/root', '/proc/self/cwd'])(
  'working directory %s is refused (CVE-2024-21626)',
  async (cwd) => {
    const inside: Op[] = [
      { op: 'open', side: 'init', out: 5, path: '/', flags: 0o200_000, mode: 0 },
      { op: 'chdir', side: 'init', path: cwd, uid: 0, gid: 0 },
    ];
    const found = await failure(container(root.dir, { inside }));
    expect(found?.detail.startsWith(`chdir to cwd ("${cwd}")`)).toBe(true);
    expect([ELOOP, ENOENT]).toContain(found?.errno ?? 0);
  },
);

test.each([3, 12])('no descriptor leads the command out, when those from %d on are closed (CVE-2024-21626)', async (first) => {
  const host: Op = { op: 'open', side: 'host', out: 6, path: '/', flags: 0o200_000, mode: 0 };
  const own: Op = { op: 'open', side: 'init', out: 7, path: '/', flags: 0o200_000, mode: 0 };
  for (let fd = 3; fd < 16; fd++) {
    const file = `/proc/self/fd/${fd}${root.root}/bin/busybox`;
    const program = container(root.dir, { argv: [file, 'true'], inside: [own] }).map((op) => (op.op === 'close_fds' ? { ...op, first } : op));
    const found = await failure([host, ...program]);
    expect([ENOENT, ENOTDIR]).toContain(found?.errno ?? 0);
    expect(found?.detail.startsWith(`exec: "${file}": stat ${file}: no`)).toBe(true);
  }
});

test('an id-mapped bind without its user namespace is an error, not a plain bind', async () => {
  const bind: Op = { op: 'mount_bind', side: 'init', root: 0, target: '/tmp', source: canary, userns: 9 };
  expect(await failure(container(root.dir, { mounts: [bind] }))).toEqual({
    errno: constants.errno.EBADF,
    detail: inWords(canary, '/tmp', 'user namespace slot 9 is empty'),
  });
});

test("a missing working directory is made with its owner; its parents and an existing one stay root's", async () => {
  const { stdout } = await runProgram(
    container(root.dir, {
      argv: ['sh', '-c', 'pwd; stat -c %u:%g . .. /etc'],
      inside: [
        { op: 'chdir', side: 'init', path: '/etc', create: 1, uid: 9, gid: 9 },
        { op: 'chdir', side: 'init', path: '/made/dir', create: 1, uid: 7, gid: 8 },
      ],
    }),
  );
  expect(stdout).toBe('/made/dir\n7:8\n0:0\n0:0\n');
});

test('sysctl keys that leave /proc/sys are refused', async () => {
  for (const key of ['../sysrq-trigger', 'kernel/../../sysrq-trigger', 'kernel/none'])
    expect(await failure(container(root.dir, { inside: [{ op: 'sysctl', side: 'init', key, value: '1' }] }))).toBeDefined();
});

test('copy-up neither follows links nor leaves the root', async () => {
  link('vol', canary);
  const volume = path.join(root.dir, 'volume');
  mkdirSync(volume);
  const copy: Op = { op: 'copy_up', side: 'init', root: 0, target: '/vol', dest: volume };
  expect(await failure(container(root.dir, { mounts: [copy] }))).toBeUndefined();
  expect(readdirSync(volume)).toEqual([]);
  rmdirSync(volume);
});
