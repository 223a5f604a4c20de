import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compileSeccomp, syscallTable } from '../../kernel/seccomp/index.ts';
import { defaultProfile } from './default-profile.ts';
import { parseSeccompProfile } from './parse.ts';
import { defaultSeccompProfile, resolveSeccompProfile } from './resolve.ts';

const target = { capabilities: ['CAP_SYS_CHROOT', 'CAP_KILL'], arch: 'x86_64', kernelVersion: '6.18.44-fc' } as const;
const names = (profile: ReturnType<typeof defaultSeccompProfile>) =>
  new Set((profile.syscalls ?? []).filter(({ action }) => action === 'SCMP_ACT_ALLOW').flatMap((call) => call.names));

test('the default profile names what it must, and nothing that it must not', () => {
  expect(defaultProfile.syscalls[0]?.names.length).toBe(360);
  const plain = names(defaultSeccompProfile(target));
  for (const name of ['read', 'openat2', 'chroot', 'ptrace', 'arch_prctl', 'clone', 'socket']) expect(`${name} ${plain.has(name)}`).toBe(`${name} true`);
  for (const name of [
    'mount',
    'unshare',
    'setns',
    'bpf',
    'keyctl',
    'add_key',
    'io_uring_setup',
    'userfaultfd',
    'perf_event_open',
    'kexec_load',
    'socketcall',
    'clone3',
    'breakpoint',
  ])
    expect(`${name} ${plain.has(name)}`).toBe(`${name} false`);
  for (const name of plain)
    expect(
      `${name} ${['X86_64', 'X86', 'X32', 'AARCH64', 'ARM'].some((arch) => Object.hasOwn(syscallTable(arch as 'X86'), name)) || name === 'riscv_hwprobe'}`,
    ).toBe(`${name} true`);
  expect(names(defaultSeccompProfile({ ...target, capabilities: ['CAP_SYS_ADMIN'] })).has('mount')).toBe(true);
  expect(names(defaultSeccompProfile({ ...target, kernelVersion: '4.7.10' })).has('ptrace')).toBe(false);
  expect(defaultSeccompProfile({ ...target, arch: 'aarch64' }).architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
});

test('Docker’s format: name or names, includes, excludes, null', () => {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: null }],
    syscalls: [
      { name: 'read', action: 'SCMP_ACT_ALLOW', args: null, comment: 'x', includes: {}, excludes: {} },
      { names: ['bpf'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_KILL', 'CAP_BPF'] } },
      { names: ['kill'], action: 'SCMP_ACT_LOG', excludes: { caps: ['CAP_NONE', 'CAP_KILL'] } },
      { names: ['open'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['arm64'] } },
      { names: ['dup'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '7.0' } },
    ],
  });
  const profile = parseSeccompProfile(text);
  expect(profile && resolveSeccompProfile(profile, target)).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  });
  expect(parseSeccompProfile('{}')).toBe(undefined);
});

test.each([
  ['{', /^decoding seccomp profile failed: /],
  ['[]', 'invalid seccomp profile: profile is not an object'],
  ['{"defaultAction":1}', 'invalid seccomp profile: defaultAction is not a string'],
  ['{"syscalls":[{"names":["a"]}]}', 'invalid seccomp profile: syscalls[0].action is not a string'],
  ['{"syscalls":[{"names":["a"],"name":"b","action":"x"}]}', "invalid seccomp profile: both 'name' and 'names' are specified, use either"],
  [
    '{"syscalls":[{"names":["a"],"action":"x","args":[{"index":0,"value":1.5,"op":"x"}]}]}',
    'invalid seccomp profile: syscalls[0].args[0].value is not a number from 0 to 2^53-1',
  ],
  [
    '{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"b"}]}',
    "invalid seccomp profile: both 'architectures' and 'archMap' are specified, use either",
  ],
])('refuses %j', (text, message) => expect(() => parseSeccompProfile(text)).toThrow(message));

const eperm = 1;
const enosys = 38;
/** how number A B C, and the errno that the kernel must answer */
const calls: readonly (readonly [string, string, number])[] = [
  ['socket AF_UNIX', '64 41 1 1 0', 0],
  ['socket AF_ALG', '64 41 38 5 0', eperm],
  ['socket AF_ALG with bits above', '64 41 4294967334 5 0', eperm],
  ['socket AF_VSOCK', '64 41 40 1 0', eperm],
  ['personality query', '64 135 4294967295 0 0', 0],
  ['personality ADDR_NO_RANDOMIZE', '64 135 262144 0 0', eperm],
  ['clone3', '64 435 0 0 0', enosys],
  ['clone CLONE_NEWUSER', '64 56 268435473 0 0', eperm],
  ['unshare', '64 272 0 0 0', eperm],
  ['io_uring_setup', '64 425 1 0 0', eperm],
  ['keyctl', '64 250 0 0 0', eperm],
  ['bpf', '64 321 0 0 0', eperm],
  ['mount', '64 165 0 0 0', eperm],
  ['a call of the future', '64 4000 0 0 0', enosys],
];
const calls32: typeof calls = [
  ['i386 socket AF_UNIX', '32 359 1 1 0', 0],
  ['i386 socket AF_ALG', '32 359 38 5 0', eperm],
  ['i386 socketcall socket', 's2 1 38 5 0', eperm],
  ['i386 socketcall bind of no descriptor', 's2 2 -1 0 0', 9],
  ['i386 mount', '32 21 0 0 0', eperm],
];

test.skipIf(process.arch !== 'x64')('the kernel answers by the default profile, int 0x80 too', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-profile-'));
  try {
    const program = path.join(directory, 'call');
    const built = spawnSync('gcc', ['-Wall', '-O1', '-o', program, path.join(import.meta.dirname, 'call-under-filter.test.c')], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    const filter = path.join(directory, 'filter');
    writeFileSync(filter, compileSeccomp(defaultSeccompProfile(target), { native: 'X86_64' }).filter);
    const run = (list: typeof calls) => spawnSync(program, [filter], { encoding: 'utf8', input: list.map(([, line]) => `${line}\n`).join('') });
    const answers = (list: typeof calls, out: string) => list.map(([name], index) => `${name}: ${out.split('\n')[index]}`);
    expect(answers(calls, run(calls).stdout)).toEqual(calls.map(([name, , errno]) => `${name}: ${errno}`));
    const narrow = run(calls32);
    // a kernel without IA32 emulation has no int 0x80 to bypass anything with
    if (narrow.signal !== 'SIGSEGV') expect(answers(calls32, narrow.stdout)).toEqual(calls32.map(([name, , errno]) => `${name}: ${errno}`));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
