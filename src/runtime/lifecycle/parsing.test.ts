import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkContainerId } from '../state/container-id.ts';
import { requestedProcess } from './exec.ts';
import { parseSignal } from './kill.ts';

describe('ids', () => {
  for (const id of ['a', 'A+b_c.d-1', 'x'.repeat(1024)]) test(`takes ${id.slice(0, 12)}`, () => expect(checkContainerId(id)).toBe(id));
  for (const id of ['.', '..', 'a/b', '../x', 'a b', 'a\0', 'é', 'x'.repeat(1025)])
    test(`refuses ${JSON.stringify(id.slice(0, 12))}`, () => expect(() => checkContainerId(id)).toThrow('invalid container ID format'));
  test('refuses the empty one', () => expect(() => checkContainerId('')).toThrow('container id cannot be empty'));
});

describe('signals', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['9', 9],
    ['KILL', 9],
    ['SIGTERM', 15],
    ['sigusr1', 10],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['0', 0],
  ];
  for (const [text, signal] of cases) test(text, () => expect(parseSignal(text)).toBe(signal));
  for (const text of ['', 'SIGNOPE', '65', '-1', '1e1'])
    test(`refuses ${JSON.stringify(text)}`, () => expect(() => parseSignal(text)).toThrow('unknown signal'));
});

describe('exec', () => {
  const request = {
    id: 'c',
    args: ['id'],
    env: [],
    additionalGids: [],
    capabilities: [],
    cgroups: [],
    terminal: false,
    detach: false,
    ignorePaused: false,
    preserveFds: 0,
  };
  test("changes the container's process", () => {
    const own = { cwd: '/', args: ['sh'], env: ['A=1'], user: { uid: 5, gid: 6, umask: 0o77 }, execCPUAffinity: { final: '0' } };
    expect(requestedProcess(own, { ...request, user: '7:8', env: ['B=2'], cwd: '/tmp', additionalGids: ['9'], capabilities: ['CAP_KILL'] })).toEqual({
      cwd: '/tmp',
      args: ['id'],
      env: ['A=1', 'B=2'],
      terminal: false,
      user: { uid: 7, gid: 8, umask: 0o77, additionalGids: [9] },
      capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
      execCPUAffinity: { final: '0' },
    });
  });
  test('a user without a group keeps the group, and capabilities become ambient where some are inheritable', () => {
    const own = { cwd: '/', user: { uid: 5, gid: 6, additionalGids: [7] }, capabilities: { inheritable: ['CAP_CHOWN'], ambient: ['CAP_CHOWN'] } };
    const wanted = requestedProcess(own, { ...request, user: '8', capabilities: ['CAP_KILL'], noNewPrivileges: true, selinuxLabel: 'l', apparmor: 'p' });
    expect(wanted.user).toEqual({ uid: 8, gid: 6, additionalGids: [7] });
    expect(wanted.capabilities).toMatchObject({ inheritable: ['CAP_CHOWN'], ambient: ['CAP_CHOWN', 'CAP_KILL'] });
    expect(wanted).toMatchObject({ noNewPrivileges: true, selinuxLabel: 'l', apparmorProfile: 'p' });
  });
  test('a process.json has from the container what it does not say', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'strake-process-')), 'process.json');
    writeFileSync(file, JSON.stringify({ cwd: '/', args: ['id'], user: { uid: 3, gid: 4 }, selinuxLabel: '', scheduler: { policy: 'SCHED_BATCH' } }));
    const rlimits = [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }];
    const own = {
      cwd: '/x',
      args: ['sh'],
      user: { uid: 5, gid: 6, umask: 0o77 },
      noNewPrivileges: true,
      selinuxLabel: 'l',
      rlimits,
      execCPUAffinity: { final: '0' },
    };
    expect(requestedProcess({ ...own, scheduler: { policy: 'SCHED_OTHER' } }, { ...request, processFile: file })).toEqual({
      cwd: '/',
      args: ['id'],
      user: { uid: 3, gid: 4, umask: 0o77 },
      selinuxLabel: 'l',
      rlimits,
      scheduler: { policy: 'SCHED_BATCH' },
      execCPUAffinity: { final: '0' },
    });
    rmSync(path.dirname(file), { recursive: true });
  });
  for (const user of ['-1', '4294967295', '4294967296', '1e3', '0x0', '1000abc', '', '1:2:3', '1:'])
    test(`refuses the user ${JSON.stringify(user)}`, () => expect(() => requestedProcess({ cwd: '/' }, { ...request, user })).toThrow('invalid'));
});
