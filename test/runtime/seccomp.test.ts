/** Filters and agents of real containers: what the kernel answers, what an agent is told, and what `exec` loads again. */
import { afterAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureProgram } from '../lib/compile.ts';
import { type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const directory = mkdtempSync(join(tmpdir(), 'strake-agent-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const filtered =
  (seccomp: object, script: string, noNewPrivileges = false) =>
  (spec: TestSpec) => {
    spec.linux['seccomp'] = seccomp;
    spec.process['noNewPrivileges'] = noNewPrivileges;
    spec.process.args = ['sh', '-c', script];
  };
const rule = (action: string, more: object = {}) => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action, ...more }] });

test.each([
  ['SCMP_ACT_ERRNO', {}, 1, 'Operation not permitted'],
  ['SCMP_ACT_ERRNO', { errnoRet: 100 }, 1, 'Network is down'],
  ['SCMP_ACT_TRACE', {}, 1, 'Function not implemented'], // no tracer is there (seccomp(2))
  ['SCMP_ACT_LOG', {}, 0, ''],
  ['SCMP_ACT_ALLOW', {}, 0, ''],
  ['SCMP_ACT_KILL', {}, 159, 'Bad system call'],
  ['SCMP_ACT_KILL_THREAD', {}, 159, 'Bad system call'],
  ['SCMP_ACT_KILL_PROCESS', {}, 159, 'Bad system call'],
  ['SCMP_ACT_TRAP', {}, 159, 'Bad system call'],
])('%s %j', async (action, more, status, message) => {
  const { stdout, stderr } = await runtime.current.run((spec) => {
    filtered(rule(action, more), 'mkdir /tmp/x; echo $?')(spec);
    spec.process['rlimits'] = [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }];
  });
  expect(stdout).toBe(`${status}\n`);
  expect(stderr).toContain(message);
});

test('an argument decides, in all of its 64 bits', async () => {
  const signals = async (op: string, value: number, valueTwo = 0) =>
    await runtime.current.shell('for s in 0 17 28; do kill -$s $$ && echo sent || echo refused; done', (spec) => {
      const args = [{ index: 1, op, value, valueTwo }];
      spec.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', args }] };
    });
  expect(await signals('SCMP_CMP_EQ', 17)).toBe('sent\nrefused\nsent');
  expect(await signals('SCMP_CMP_EQ', 2 ** 32 + 17)).toBe('sent\nsent\nsent');
  expect(await signals('SCMP_CMP_LT', 17)).toBe('refused\nsent\nsent');
  expect(await signals('SCMP_CMP_MASKED_EQ', 0xc, 0xc)).toBe('sent\nsent\nrefused');
});

test('few calls of the runtime itself run under the filter, whatever it forbids', async () => {
  const newer = [
    'close_range',
    'openat2',
    'faccessat2',
    'fsopen',
    'move_mount',
    'setsid',
    'setgroups',
    'chdir',
    'fchdir',
    'sendmsg',
    'recvmsg',
    'umask',
    'setresuid',
    'setresgid',
  ];
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: newer, action: 'SCMP_ACT_KILL_PROCESS' }] };
  for (const noNewPrivileges of [false, true])
    expect(await runtime.current.run(filtered(profile, 'echo ok', noNewPrivileges))).toMatchObject({ code: 0, stdout: 'ok\n' });
  await using container = await runtime.current.create(filtered(profile, 'echo ok'));
  await container.start();
  await container.ended();
  expect(container.log).toBe('ok\n');
});

test('the privilege that loading the filter takes is gone afterwards', async () => {
  const status = await runtime.current.shell('grep -E "^(Cap|Seccomp:|NoNewPrivs)" /proc/self/status', (spec) => {
    spec.linux['seccomp'] = rule('SCMP_ACT_ERRNO');
    spec.process['noNewPrivileges'] = false;
    spec.process['capabilities'] = { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] };
  });
  expect(status.replaceAll('\t', ' ').split('\n')).toEqual([
    'CapInh: 0000000000000000',
    'CapPrm: 0000000000000001',
    'CapEff: 0000000000000001',
    'CapBnd: 0000000000000001',
    'CapAmb: 0000000000000000',
    'NoNewPrivs: 0',
    'Seccomp: 2',
  ]);
});

test('exec loads the filter that create compiled, and compiles again where that is damaged', async () => {
  await using container = await runtime.current.running((spec) => {
    spec.linux['seccomp'] = rule('SCMP_ACT_ERRNO');
  });
  const saved = join(runtime.current.root, container.id, 'seccomp.bpf');
  expect(statSync(saved).mode & 0o777).toBe(0o600);
  const mkdir = async (name: string) => (await container.exec(['mkdir', name])).code;
  expect(await mkdir('/tmp/a')).toBe(1);
  // One that allows all (linux/filter.h, BPF_RET; SECCOMP_RET_ALLOW) in its place shows which one is loaded.
  const original = readFileSync(saved);
  const allowAll = Buffer.from('060000000000ff7f', 'hex');
  const header = Buffer.from(original.subarray(0, 16));
  header.writeUInt32LE(allowAll.length, 12);
  writeFileSync(saved, Buffer.concat([header, allowAll, original.subarray(16 + original.readUInt32LE(12))]));
  expect(await mkdir('/tmp/b')).toBe(0);
  writeFileSync(saved, original.subarray(0, 40));
  expect(await mkdir('/tmp/c')).toBe(1);
  rmSync(saved);
  expect(await mkdir('/tmp/d')).toBe(1);
});

test.each([false, true])('an agent is told who the process is, and answers for it (no_new_privs %p)', async (noNewPrivileges) => {
  const binary = ensureProgram(join(import.meta.dirname, 'lib/seccomp-agent.c'));
  const socket = join(directory, `agent-${noNewPrivileges}.sock`);
  const agent = spawn(binary, [socket], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const said = createInterface(agent.stdout)[Symbol.asyncIterator]();
  const next = async () => String((await said.next()).value);
  try {
    expect(await next()).toBe('listening');
    const seccomp = { ...rule('SCMP_ACT_NOTIFY'), listenerPath: socket, listenerMetadata: 'für=x' };
    const bundle = runtime.current.bundle((spec) => {
      filtered(seccomp, 'mkdir /tmp/x; exec sleep 1000', noNewPrivileges)(spec);
      spec['annotations'] = { a: 'b' };
    });
    await using container = await runtime.current.create(bundle);
    const state = { ociVersion: '1.3.0', id: container.id, bundle: bundle.dir, annotations: { a: 'b' } };
    const outer = { ociVersion: '1.3.0', fds: ['seccompFd'], metadata: 'für=x' };
    // At create already, one state a connection.
    const pid = container.pid;
    const seen = JSON.parse(await next()) as { pid: number; state: { pid: number } };
    expect(seen).toEqual({ ...outer, pid: seen.pid, state: { ...state, status: 'creating', pid: seen.pid } } as typeof seen);
    expect(seen.pid).toBe(pid);
    expect(await next()).toBe('end 0');
    await container.start();
    const exec = await container.exec(['mkdir', '/tmp/y']);
    expect(exec.stderr).toContain('No medium found');
    const second = JSON.parse(await next()) as { pid: number };
    expect(second).toEqual({ ...outer, pid: second.pid, state: { ...state, status: 'running', pid } } as typeof second);
    expect(second.pid).not.toBe(pid);
    expect(container.errorLog).toContain('No medium found');
  } finally {
    if (agent.pid !== undefined) process.kill(-agent.pid, 'SIGKILL');
  }
});
