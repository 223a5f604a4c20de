import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { formatOp } from '../program/index.ts';
import { cgroupDirectories } from './directories.ts';
import { readExistingCgroups } from './existing.ts';
import { freezeOperations, readFreezer } from './freezer.ts';
import { type CgroupLayout, readCgroupLayout } from './layout.ts';
import { cgroupPids } from './pids.ts';
import { planCgroup } from './plan.ts';
import { readCgroupStats } from './stats.ts';
import { readLiveLimits, updateOperations } from './update.ts';

const hybrid: CgroupLayout = {
  kind: 'hybrid',
  v1: [
    { name: 'cpu,cpuacct', mountpoint: '/cg/cpu,cpuacct', root: '/', controllers: ['cpu', 'cpuacct'], key: 'cpu' },
    { name: 'cpuset', mountpoint: '/cg/cpuset', root: '/', controllers: ['cpuset'], key: 'cpuset' },
    { name: 'devices', mountpoint: '/cg/devices', root: '/', controllers: ['devices'], key: 'devices' },
  ],
  v2: { mountpoint: '/cg/unified', root: '/', controllers: [] },
};

function texts(ops: readonly Op[]): string[] {
  return ops.map((op) => (op.op === 'write_file' ? `${op.side} ${op.path}=${Buffer.from(op.data)}${op.flags ? ` (${op.flags})` : ''}` : formatOp(op)));
}

test('hybrid: parents’ cpus and mems first, devices, attach and cleanup', () => {
  const plan = planCgroup({
    layout: hybrid,
    directories: cgroupDirectories(hybrid, '/strake/a'),
    existing: { cpuset: { cpus: '0-1', mems: '0', depth: 0 }, handedDown: new Map() },
    resources: { cpu: { cpus: '1' }, devices: [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 3 }, { allow: true, type: 'b', major: 8 }] },
  });
  expect(texts(plan.create).filter((text) => text.startsWith('host /'))).toEqual([
    'host /cg/cpuset/strake/cpuset.cpus=0-1',
    'host /cg/cpuset/strake/cpuset.mems=0',
    'host /cg/cpuset/strake/a/cpuset.cpus=1',
    'host /cg/cpuset/strake/a/cpuset.mems=0',
    'host /cg/devices/strake/a/devices.deny=a',
    'host /cg/devices/strake/a/devices.allow=c 1:3 rwm\nb 8:* rwm (16)',
  ]);
  expect(plan.create.filter((op) => op.op === 'mkdir').map((op) => op.path)).toEqual([
    '/cg/cpu,cpuacct/strake/a',
    '/cg/cpuset/strake',
    '/cg/cpuset/strake/a',
    '/cg/devices/strake/a',
    '/cg/unified/strake/a',
  ]);
  expect(texts(plan.initAttach)).toEqual(['init /cg/cpu,cpuacct/strake/a/tasks=0', 'init /cg/cpuset/strake/a/tasks=0', 'init /cg/devices/strake/a/tasks=0']);
  expect(plan.v1Links).toEqual([
    ['cpu', 'cpu,cpuacct'],
    ['cpuacct', 'cpu,cpuacct'],
  ]);
  expect(plan.cleanup.map((op) => op.op)).toEqual(['write_file', 'cgroup_kill', 'rmdir', 'rmdir', 'rmdir', 'rmdir']);
  expect(plan.v2).toBe('/cg/unified/strake/a');
});

test('v2: controllers are handed down, devices are a program', () => {
  const layout: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: ['cpu', 'pids'] } };
  const resources = { pids: { limit: 5 }, devices: [{ allow: false }] };
  const directories = cgroupDirectories(layout, 'strake/a');
  const plan = planCgroup({ layout, directories, resources, existing: { cpuset: undefined, handedDown: new Map([['/cg', ['cpu']]]) } });
  expect(plan.create.map((op) => op.op)).toEqual(['write_file', 'mkdir', 'write_file', 'mkdir', 'cgroup_device', 'write_file']);
  expect(texts(plan.create).filter((text) => text.startsWith('host /'))).toEqual([
    'host /cg/cgroup.subtree_control=+pids (18)',
    'host /cg/strake/cgroup.subtree_control=+cpu\n+pids (18)',
    'host /cg/strake/a/pids.max=5',
  ]);
  expect(plan.oomFile).toBe('/cg/strake/a/memory.events');
});

/** What strake-init does with these operations, for a test without it. */
function execute(ops: readonly Op[]): void {
  for (const op of ops) {
    if (op.op === 'mkdir') mkdirSync(op.path, { recursive: true, mode: op.mode });
    else if (op.op === 'write_file')
      try {
        for (const line of Buffer.from(op.data).toString().split('\n')) writeFileSync(op.path, line, { flag: 'r+' });
      } catch (error) {
        if (!((op.flags ?? 0) & 2 || (op.flags === 1 && (error as NodeJS.ErrnoException).code === 'ENOENT'))) throw error;
      }
    else throw new Error(op.op);
  }
}

test('on this machine: limits are in the kernel, a process is counted, frozen, and everything is removed', async () => {
  const layout = readCgroupLayout();
  const path = `/strake-cgroup-test-${process.pid}/c`;
  const directories = cgroupDirectories(layout, path);
  const all = [...directories.v1.map(({ dir }) => dir), ...(directories.v2 ? [directories.v2] : [])];
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    execute(
      planCgroup({
        layout,
        directories,
        existing: readExistingCgroups(layout, directories),
        resources: {
          memory: { limit: 64 << 20, swap: 128 << 20 },
          pids: { limit: 7 },
          cpu: { quota: 50_000, period: 100_000, shares: 512 },
          devices: layout.kind === 'v2' ? [] : [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }],
        },
      }).create,
    );
    for (const dir of all) writeFileSync(`${dir}/cgroup.procs`, String(child.pid));
    expect(await cgroupPids(directories)).toEqual([child.pid as number]);
    const stats = await readCgroupStats(layout, directories);
    expect(stats.memory.limitBytes).toBe(67108864n);
    expect(stats.pids).toEqual({ current: 1n, limit: 7n });
    const devices = directories.v1.find(({ name }) => name === 'devices')?.dir;
    if (devices) expect(readFileSync(`${devices}/devices.list`, 'utf8')).toBe('c 1:3 rwm\n');
    execute(
      updateOperations(
        layout,
        directories,
        { memory: { limit: 256 << 20, swap: 512 << 20 }, cpu: { quota: 2_000, period: 10_000 } },
        readLiveLimits(layout, directories),
      ),
    );
    execute(updateOperations(layout, directories, { memory: { limit: 32 << 20, swap: 64 << 20 } }, readLiveLimits(layout, directories)));
    expect((await readCgroupStats(layout, directories)).memory.limitBytes).toBe(33554432n);
    execute(freezeOperations(directories, true));
    while (readFreezer(directories) !== 'frozen') expect(child.exitCode).toBe(null);
    execute(freezeOperations(directories, false));
    expect(readFreezer(directories)).toBe('thawed');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const dir of all) for (const level of [dir, dirname(dir)]) removeCgroup(level);
  }
  expect(await cgroupPids(directories)).toEqual([]);
  expect(readFreezer(directories)).toBe(undefined);
});

/** The kernel lets a dead process go a moment after its exit. */
function removeCgroup(dir: string): void {
  for (;;)
    try {
      rmdirSync(dir);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY') throw error;
    }
}

test('a v2 cgroup is given away with the files that may be', () => {
  const layout: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: [] } };
  const delegation = { uid: 100000, files: ['cgroup.procs', 'memory.oom.group'] };
  const plan = planCgroup({ layout, directories: cgroupDirectories(layout, 'a'), existing: { cpuset: undefined, handedDown: new Map() }, delegation });
  expect(plan.create).toEqual([{ op: 'mkdir', side: 'host', path: '/cg/a', mode: 0o755, owner: 100000, delegate: delegation.files }]);
});

test('without a devices controller the rules are a program of the v2 tree, and without that an error', () => {
  const resources = { devices: [{ allow: false }] };
  const existing = { cpuset: undefined, handedDown: new Map() };
  const without = { ...hybrid, v1: hybrid.v1.filter(({ name }) => name !== 'devices') };
  const plan = planCgroup({ layout: without, directories: cgroupDirectories(without, '/a'), existing, resources });
  expect(plan.create.flatMap((op) => (op.op === 'cgroup_device' ? [op.dir] : []))).toEqual(['/cg/unified/a']);
  const v1: CgroupLayout = { ...without, kind: 'v1', v2: undefined };
  expect(() => planCgroup({ layout: v1, directories: cgroupDirectories(v1, '/a'), existing, resources })).toThrow('mountpoint for devices not found');
});

test.each([
  ['threaded', 'it is in threaded mode'],
  ['domain threaded', 'it is in domain threaded mode'],
  ['domain invalid', 'it is in an invalid state'],
])('below a %s cgroup there is no limit of domains', (type, state) => {
  const layout: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: ['memory', 'pids'] } };
  const existing = { cpuset: undefined, handedDown: new Map(), threaded: { dir: '/cg/t', type } };
  const plan = (resources: ResourcesSpec) => planCgroup({ layout, directories: cgroupDirectories(layout, '/t/a'), existing, resources });
  expect(() => plan({ memory: { limit: 1 } })).toThrow(`cannot enter cgroupv2 "/cg/t" with domain controllers -- ${state}`);
  expect(plan({ pids: { limit: 5 }, cpu: {} }).v2).toBe('/cg/t/a');
});
