import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { runProgram } from './harness.ts';

const { ENOENT, ESRCH, EEXIST, ENODEV, EBUSY } = constants.errno;
let dir: string;
beforeAll(() => (dir = mkdtempSync(path.join(tmpdir(), 'strake-host-'))));
afterAll(() => rmSync(dir, { recursive: true }));

async function run(...ops: Op[]): Promise<[index: number | undefined, errno: number, detail: string]> {
  const { reports, status } = await runProgram(ops);
  const report = reports[0];
  if (reports.length !== 1 || report === undefined) throw new Error(`${reports.length} reports`);
  expect(status).toBe(report.failedIndex === undefined ? 0 : 1);
  return [report.failedIndex, report.errno, report.detail];
}
const fine: [undefined, number, string] = [undefined, 0, ''];
const text = (value: string) => Buffer.from(value);

test('mkdir makes parents with exact modes, again is fine; unlink and rmdir take away, again is fine', async () => {
  const deep = path.join(dir, 'a/b/c');
  expect(await run({ op: 'mkdir', side: 'host', path: deep, mode: 0o711 }, { op: 'mkdir', side: 'host', path: deep, mode: 0o700 })).toEqual(fine);
  expect(spawnSync('stat', ['-c', '%a', deep], { encoding: 'utf8' }).stdout).toBe('711\n');
  expect(
    await run(
      { op: 'write_file', side: 'host', path: `${deep}/f`, data: text('one'), flags: 4 },
      { op: 'write_file', side: 'host', path: `${deep}/f`, data: text('two'), flags: 4 },
    ),
  ).toEqual(fine);
  expect(readFileSync(`${deep}/f`, 'utf8')).toBe('two');
  const remove: Op[] = [
    { op: 'unlink', side: 'host', path: `${deep}/f` },
    { op: 'rmdir', side: 'host', path: path.join(dir, 'a'), timeoutMs: 0 },
  ];
  expect(await run(...remove, ...remove)).toEqual(fine);
  expect(existsSync(path.join(dir, 'a'))).toBe(false);
});

test('write_file: what is missing is an error unless it may be', async () => {
  const write = (flags: number): Op => ({ op: 'write_file', side: 'host', path: `${dir}/none`, data: text('x'), flags });
  expect(await run(write(1), write(2))).toEqual(fine);
  expect(await run(write(0))).toEqual([0, ENOENT, `write x to ${dir}/none`]);
});

test('the first failure stops the program', async () => {
  expect(
    await run({ op: 'open', side: 'host', out: 0, path: `${dir}/none`, mode: 0 }, { op: 'mkdir', side: 'host', path: `${dir}/later`, mode: 0o755 }),
  ).toEqual([0, ENOENT, `open ${dir}/none`]);
  expect(readdirSync(dir)).toEqual([]);
});

test('a pidfd is of the process that was meant', async () => {
  const fields = readFileSync('/proc/self/stat', 'latin1');
  const start = BigInt(fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '0');
  const open = (startTime: bigint): Op => ({ op: 'pidfd_open', side: 'host', out: 0, pid: process.pid, startTime });
  expect(await run(open(start))).toEqual(fine);
  expect(await run(open(start + 1n))).toEqual([0, ESRCH, `process ${process.pid} is another one by now`]);
});

test('a number that a thread has by now is of a process that has ended', async () => {
  const thread = Number(readdirSync('/proc/self/task').find((id) => Number(id) !== process.pid));
  const gone = { side: 'host', pid: thread, startTime: 1 } as const;
  expect(await run({ op: 'end_process', ...gone, timeoutMs: 1000, flags: 1 })).toEqual(fine);
  expect(await run({ op: 'signal', ...gone, signal: 9 })).toEqual([0, ESRCH, `process ${thread}`]);
});

test('cgroup_kill empties a tree of cgroups, rmdir removes it', async () => {
  const base = '/sys/fs/cgroup/pids';
  const group = path.join(existsSync(base) ? base : '/sys/fs/cgroup', `strake-test-${process.pid}`);
  mkdirSync(path.join(group, 'below'), { recursive: true });
  const child = spawn('sh', ['-c', `echo $$ > ${group}/below/cgroup.procs && echo in && exec sleep 60`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.on('exit', (_code, signal) => resolve(signal)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const rmdir: Op = { op: 'rmdir', side: 'host', path: group, timeoutMs: 20 };
  expect(await run(rmdir)).toEqual([0, EBUSY, `rmdir ${group}`]);
  const kill: Op = { op: 'cgroup_kill', side: 'host', dir: group, timeoutMs: 5000 };
  expect(await run(kill, { ...rmdir, timeoutMs: 5000 }, kill, rmdir)).toEqual(fine);
  expect(await ended).toBe('SIGKILL');
  expect(existsSync(group)).toBe(false);
});

/** RTM_* message with NLM_F_REQUEST|NLM_F_ACK|flags (linux/netlink.h), and one attribute IFLA_IFNAME. */
function linkMessage(type: number, flags: number, name: string, nested = Buffer.alloc(0)): Buffer {
  const attribute = Buffer.alloc(4 + ((name.length + 4) & ~3));
  attribute.writeUInt16LE(4 + name.length + 1, 0);
  attribute.writeUInt16LE(3, 2);
  attribute.write(name, 4);
  const message = Buffer.concat([Buffer.alloc(32), attribute, nested]);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(1 | 4 | flags, 6);
  return message;
}
/** IFLA_LINKINFO { IFLA_INFO_KIND "bridge" } */
const bridgeKind = Buffer.from('100012000b0001006272696467650000', 'hex');

test('netlink: acknowledged in a namespace of choice, with refusals as errno, and replies', async () => {
  const [newLink, delLink, getLink] = [16, 17, 18];
  const inNamespace = async (...ops: Op[]) =>
    await runProgram([
      { op: 'unshare', side: 'host', flags: 0x4000_0000 },
      { op: 'open', side: 'host', out: 1, path: '/proc/self/ns/net', mode: 0 },
      { op: 'unshare', side: 'host', flags: 0x4000_0000 },
      ...ops,
    ]);
  const send = (message: Buffer, flags = 0, ns?: number): Op => ({ op: 'netlink', side: 'host', protocol: 0, message, flags, ns });
  const make = linkMessage(newLink, 0x600, 'keel0', bridgeKind);
  const made = await inNamespace(
    send(make, 0, 1),
    send(make, 2, 1),
    send(make),
    send(linkMessage(delLink, 0, 'none'), 4),
    send(linkMessage(getLink, 0, 'keel0'), 1, 1),
  );
  expect(made.reports[0]).toMatchObject({ failedIndex: undefined, detail: '' });
  expect(made.data).toHaveLength(1);
  expect(made.data[0]?.readUInt16LE(4)).toBe(newLink);
  expect(made.data[0]?.includes('keel0')).toBe(true);
  expect((await inNamespace(send(make), send(make))).reports[0]).toMatchObject({ failedIndex: 4, errno: EEXIST, detail: 'netlink protocol 0' });
  expect((await inNamespace(send(make, 0, 1), send(linkMessage(delLink, 0, 'keel0')))).reports[0]).toMatchObject({ failedIndex: 4, errno: ENODEV });
  expect((await inNamespace(send(make.subarray(0, 40)))).reports[0]).toMatchObject({ failedIndex: 3, detail: 'netlink protocol 0: malformed message' });
  expect(spawnSync('ls', ['/sys/class/net'], { encoding: 'utf8' }).stdout).not.toContain('keel0');
});
