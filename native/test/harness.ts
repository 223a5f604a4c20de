import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { encodeFrame, type Frame, FrameParser, frameTypes } from '../../src/kernel/launch/frames.ts';
import { decodeExit, decodeReport, type ExitRecord, type Report } from '../../src/kernel/launch/records.ts';
import { encodeProgram, type Op } from '../../src/kernel/program/index.ts';

/** The program under test: the built one, or what STRAKE_INIT names (an AddressSanitizer build). */
export const strakeInit = process.env['STRAKE_INIT'] ?? path.join(import.meta.dirname, '../../dist/strake-init');

export interface Outcome {
  readonly reports: readonly Report[];
  readonly exit: ExitRecord | undefined;
  readonly data: readonly Buffer[];
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly trace?: boolean;
  /** Send START after the first report. */
  readonly start?: boolean;
  /** The init outlives the program and keeps stdio: do not wait for its end. */
  readonly detached?: boolean;
  /** Called at the first report. */
  readonly onReport?: (report: Report) => void;
}

/** The leak check traces its own process, which is not possible once that is not dumpable. */
const environment = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };

/** Runs a program by `strake-init run`, the way the command line does. */
export async function runProgram(ops: readonly Op[], options: RunOptions = {}): Promise<Outcome> {
  return await runBytes(encodeProgram(ops, { trace: options.trace ?? false }), options);
}

export async function runBytes(program: Uint8Array, options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(strakeInit, ['run'], { env: environment, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const connection = child.stdio[3] as Duplex;
  const parser = new FrameParser();
  const output = { stdout: '', stderr: '' };
  const reports: Report[] = [];
  const data: Buffer[] = [];
  let exit: ExitRecord | undefined;
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  connection.on('error', () => {});
  connection.on('data', (chunk: Buffer) => {
    for (const frame of parser.push(chunk)) take(frame);
  });
  function take(frame: Frame): void {
    if (frame.type === frameTypes.exit) exit = decodeExit(frame.payload);
    if (frame.type === frameTypes.data) data.push(Buffer.from(frame.payload));
    if (frame.type !== frameTypes.report) return;
    const report = decodeReport(frame.payload);
    reports.push(report);
    if (reports.length > 1) return;
    options.onReport?.(report);
    if (options.start) connection.write(encodeFrame(frameTypes.start));
  }
  connection.write(encodeFrame(frameTypes.program, program));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on(options.detached ? 'exit' : 'close', resolve);
  const ended = Promise.withResolvers<void>();
  connection.on('close', ended.resolve);
  const status = await promise;
  await ended.promise;
  return { reports, exit, data, status, ...output };
}

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file) && spawnSync('ldd', [file]).status !== 0);

/** A root file system with a static busybox, removed by `remove`. */
export function makeRoot(): { readonly dir: string; readonly root: string; remove(): void } {
  if (busybox === undefined) throw new Error('these tests need a static busybox (apt install busybox-static)');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'strake-native-'));
  const root = path.join(dir, 'root');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(path.join(root, name), { recursive: true });
  for (const name of ['upper', 'work', 'merged']) mkdirSync(path.join(dir, name));
  copyFileSync(busybox, path.join(root, 'bin/busybox'));
  chmodSync(path.join(root, 'bin/busybox'), 0o755);
  for (const name of ['sh', 'true', 'cat', 'id', 'ls', 'stat', 'hostname', 'echo', 'readlink', 'mount', 'grep', 'sleep', 'test', 'pwd', 'tty', 'umask'])
    symlinkSync('busybox', path.join(root, 'bin', name));
  return { dir, root, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export const namespaceFlags = { mount: 0x2_0000, cgroup: 0x200_0000, uts: 0x400_0000, ipc: 0x800_0000, user: 0x1000_0000, pid: 0x2000_0000, net: 0x4000_0000 };
const { mount, uts, ipc, pid, net } = namespaceFlags;
const mountAttr = { nosuid: 2, nodev: 4, noexec: 8 };
const msRecSlave = 0x4000 | 0x8_0000;
const oPathDirectory = 0o10_000_000 | 0o200_000;

export interface ContainerOptions {
  readonly argv?: readonly string[];
  readonly env?: readonly string[];
  readonly flags?: number;
  /** After the mounts, before pivot_root; root slot 0. */
  readonly mounts?: readonly Op[];
  /** Inside the new root, before the look-up. */
  readonly inside?: readonly Op[];
  readonly hostBeforeInit?: readonly Op[];
  readonly waitStart?: boolean;
  readonly cleanup?: readonly Op[];
  readonly beforeExec?: readonly Op[];
}

/** A container on an overlay of `root`, about as `strake run` makes it. */
export function container(dir: string, options: ContainerOptions = {}): Op[] {
  const env = options.env ?? ['PATH=/usr/bin:/bin'];
  const argv = options.argv ?? ['true'];
  return [
    { op: 'clone', side: 'host', flags: options.flags ?? mount | uts | ipc | pid | net },
    ...(options.hostBeforeInit ?? []),
    { op: 'propagation', side: 'init', path: '/', flags: msRecSlave },
    { op: 'overlay', side: 'init', target: `${dir}/merged`, lowers: [`${dir}/root`], upper: `${dir}/upper`, work: `${dir}/work` },
    { op: 'open', side: 'init', out: 0, path: `${dir}/merged`, flags: oPathDirectory, mode: 0 },
    { op: 'mount_fs', side: 'init', root: 0, target: '/proc', fstype: 'proc', source: 'proc', attrs: mountAttr.nosuid | mountAttr.nodev | mountAttr.noexec },
    { op: 'mount_fs', side: 'init', root: 0, target: '/dev', fstype: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=65536k'], attrs: mountAttr.nosuid },
    { op: 'mknod_in', side: 'init', root: 0, path: '/dev/null', mode: 0o20666, major: 1, minor: 3, uid: 0, gid: 0 },
    { op: 'mknod_in', side: 'init', root: 0, path: '/dev/zero', mode: 0o20666, major: 1, minor: 5, uid: 0, gid: 0 },
    { op: 'symlink_in', side: 'init', root: 0, target: '/proc/self/fd', path: '/dev/fd' },
    {
      op: 'mount_fs',
      side: 'init',
      root: 0,
      target: '/dev/pts',
      fstype: 'devpts',
      source: 'devpts',
      options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      attrs: mountAttr.nosuid | mountAttr.noexec,
      create: 1,
    },
    ...(options.mounts ?? []),
    { op: 'pivot_root', side: 'init', root: 0 },
    { op: 'close', side: 'init', fd: 0 },
    ...(options.inside ?? []),
    { op: 'close_fds', side: 'init', first: 3 },
    { op: 'lookup_exec', side: 'init', file: argv[0] ?? '', env },
    ...(options.waitStart ? [{ op: 'wait_start', side: 'init' } as const] : []),
    ...(options.beforeExec ?? []),
    { op: 'exec', side: 'init', argv, env },
    { op: 'reap', side: 'host' },
    ...(options.cleanup ?? []),
  ];
}

/** What must be as before after every test: mounts of this namespace, processes of the program. */
export function leftovers(dir: string): string[] {
  const mounts = spawnSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' }).stdout.split('\n');
  return mounts.filter((line) => line.includes(dir));
}
