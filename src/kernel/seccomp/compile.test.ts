import { expect, test } from 'bun:test';
import type { LinuxSeccomp } from '../../oci/index.ts';
import { architecture, type SeccompArch, seccompArchitectures, syscallTable, x32Bit } from './architectures.ts';
import { compileSeccomp } from './compile.ts';
import { runFilter } from './fixtures.ts';

const allow = 0x7fff_0000;
const errno = (number: number) => 0x5_0000 + number;
const number = (name: string) => syscallTable('X86_64')[name] ?? -1;
const answer = (config: LinuxSeccomp, nr: number, args: bigint[] = [], arch = architecture('X86_64').audit) =>
  runFilter(compileSeccomp(config, { native: 'X86_64' }).filter, { number: nr, auditArch: arch, args });

const allowing: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read', 'close'], action: 'SCMP_ACT_ALLOW' }] };

test.each([
  ['a named call', allowing, number('read'), allow],
  ['a call between named ones', allowing, number('open'), errno(1)],
  ['a call newer than any named one', allowing, 4000, errno(38)],
  ['-1, as ptrace writes it', allowing, 0xffff_ffff, 0],
  ['x32 without its architecture', allowing, x32Bit, 0],
  ['x32 with it', { ...allowing, architectures: ['SCMP_ARCH_X32'] }, x32Bit, allow],
  ['an architecture of the other byte order', { ...allowing, architectures: ['SCMP_ARCH_MIPS'] }, number('close'), allow],
  ['a default of its own number', { ...allowing, defaultErrnoRet: 38 }, number('open'), errno(38)],
  ['an allowing default', { defaultAction: 'SCMP_ACT_LOG' }, 4000, 0x7ffc_0000],
] as [string, LinuxSeccomp, number, number][])('%s', (_, config, nr, expected) => expect(answer(config, nr)).toBe(expected));

test('the strictest rule that holds wins, whatever the order', () => {
  const rules = [
    { names: ['read'], action: 'SCMP_ACT_ALLOW' },
    { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 7, args: [{ index: 0, op: 'SCMP_CMP_GE', value: 5 }] },
    { names: ['read'], action: 'SCMP_ACT_KILL_PROCESS', args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 9 }] },
  ];
  for (const syscalls of [rules, rules.toReversed()]) {
    const config = { defaultAction: 'SCMP_ACT_TRAP', syscalls };
    expect([0n, 5n, 9n].map((value) => answer(config, number('read'), [value]))).toEqual([allow, errno(7), 0x8000_0000]);
  }
});

test('two conditions on one argument are alternatives, on two arguments they are both needed', () => {
  const config = (indexes: readonly [number, number]): LinuxSeccomp => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: indexes.map((index, i) => ({ index, op: 'SCMP_CMP_EQ', value: i + 1 })) }],
  });
  expect(answer(config([0, 0]), 0, [2n, 0n])).toBe(allow);
  expect(answer(config([0, 1]), 0, [1n, 0n])).toBe(errno(1));
  expect(answer(config([0, 1]), 0, [1n, 2n])).toBe(allow);
});

test('a denial with a condition denies the whole call within socketcall', () => {
  const config: LinuxSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86'],
    syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 38 }] }],
  };
  expect([1n, 2n].map((call) => answer(config, 102, [call], architecture('X86').audit))).toEqual([errno(1), allow]);
});

test.each([
  [{ flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'] }, 2],
  [{ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'], listenerPath: '/l', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }, 40],
  [{}, 4],
  [{ flags: [] }, 0],
  [{ listenerPath: '/l', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }, 12],
])('the flags of %p', (fields, flags) => expect(compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', ...fields }, { native: 'X86_64' }).flags).toBe(flags));

const rule = (fields: object): LinuxSeccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_TRAP', ...fields }] });
test.each([
  [{ defaultAction: 'ALLOW' }, 'string ALLOW is not a valid action for seccomp'],
  [{ defaultAction: '__proto__' }, 'string __proto__ is not a valid action for seccomp'],
  [{ defaultAction: 'SCMP_ACT_NOTIFY' }, 'SCMP_ACT_NOTIFY cannot be used as default action'],
  [rule({ names: ['write'], action: 'SCMP_ACT_NOTIFY' }), 'SCMP_ACT_NOTIFY cannot be used for the write syscall'],
  [rule({ action: 'SCMP_ACT_NOTIFY' }), 'seccomp listenerPath is not set'],
  [rule({ errnoRet: 5 }), 'seccomp action SCMP_ACT_TRAP cannot have an errnoRet'],
  [rule({ action: 'SCMP_ACT_ERRNO', errnoRet: 65536 }), 'invalid seccomp errnoRet 65536'],
  [rule({ args: [{ index: 6, op: 'SCMP_CMP_EQ', value: 0 }] }), 'seccomp argument index 6 is not in 0-5'],
  [rule({ args: [{ index: 0, op: '==', value: 0 }] }), 'string == is not a valid operator for seccomp'],
  [{ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['x86'] }, 'string x86 is not a valid arch for seccomp'],
  [{ defaultAction: 'SCMP_ACT_ALLOW', flags: ['NEW_LISTENER'] }, 'seccomp flag NEW_LISTENER is not known to runc'],
  [
    { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] },
    'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY',
  ],
] as [LinuxSeccomp, string][])('refuses %j', (config, message) => expect(() => compileSeccomp(config, { native: 'X86_64' })).toThrow(message));

test('too many rules', () => {
  const syscalls = Array.from({ length: 2000 }, (_, value) => ({ names: ['read'], action: 'SCMP_ACT_TRAP', args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] }));
  expect(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, { native: 'X86_64' })).toThrow(
    'seccomp profile makes a filter of 8073 instructions, at most 4096 are possible',
  );
});

test('a name that every object has is no system call', () => {
  const config: LinuxSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['constructor', '__proto__', 'toString', 'read'], action: 'SCMP_ACT_TRAP' }],
  };
  expect([answer(config, number('read')), answer(config, number('write'))]).toEqual([0x3_0000, allow]);
});

test('every architecture can be the machine, and has a call of its own', () => {
  const config: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['openat'], action: 'SCMP_ACT_ALLOW' }] };
  for (const name of seccompArchitectures) {
    const arch = name.slice('SCMP_ARCH_'.length) as SeccompArch;
    const { audit, base = 0, bigEndian = false } = architecture(arch);
    const { filter } = compileSeccomp({ ...config, architectures: [name] }, { native: arch });
    const call = (nr: number) => runFilter(filter, { number: base + nr, auditArch: audit, args: [] }, bigEndian);
    expect([name, call(syscallTable(arch)['openat'] ?? -1), call((syscallTable(arch)['openat'] ?? -1) - 1)]).toEqual([name, allow, errno(1)]);
  }
});

test('a filter of many parts stays within the jumps of BPF', () => {
  const names = Object.keys(syscallTable('X86_64'));
  const syscalls = names.slice(0, 300).map((name, index) => ({
    names: [name],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: index + 1,
    args: [{ index: 1, op: 'SCMP_CMP_GT', value: 2n ** 33n }],
  }));
  const { filter } = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, { native: 'X86_64' });
  for (const [index, name] of names.slice(0, 300).entries()) {
    const call = (value: bigint) => runFilter(filter, { number: number(name), auditArch: architecture('X86_64').audit, args: [0n, value] });
    expect([name, call(2n ** 33n + 1n), call(2n ** 33n)]).toEqual([name, errno(index + 1), allow]);
  }
});
