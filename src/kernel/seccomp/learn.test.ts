import { expect, test } from 'bun:test';
import { architecture } from './architectures.ts';
import { runFilter } from './fixtures.ts';
import { learningFilter, nameRecordedCalls } from './learn.ts';

const notify = 0x7fc0_0000;
const allow = 0x7fff_0000;
const pass = 0x1234_5678_9abc_def0n;

test('every call is asked about, but for the two that pass', () => {
  for (const [arch, sendmsg, close] of [
    ['X86_64', 46, 3],
    ['AARCH64', 211, 57],
  ] as const) {
    const filter = learningFilter(arch, pass);
    const { audit } = architecture(arch);
    const answer = (number: number, fourth: bigint, auditArch: number = audit) =>
      runFilter(filter, { number, auditArch, args: [0n, 0n, 0n, fourth, pass, pass] });
    expect([sendmsg, close, 0, 1000].map((number) => answer(number, pass))).toEqual([allow, allow, notify, notify]);
    for (const other of [0n, pass + 1n, pass ^ (1n << 40n)]) expect([answer(sendmsg, other), answer(close, other)]).toEqual([notify, notify]);
    expect(answer(sendmsg, pass, architecture('X86').audit)).toBe(notify);
  }
});

test('calls by name, of several architectures', () => {
  const text = 'c000003e 0\nc000003e 257\n40000003 20\nc000003e 1073741824\nc000003e 999\n00000099 1\nc000003e 0\n\nbroken\n';
  expect(nameRecordedCalls(text, 'X86_64')).toEqual({
    architectures: ['SCMP_ARCH_X32', 'SCMP_ARCH_X86', 'SCMP_ARCH_X86_64'],
    names: ['getpid', 'openat', 'read'],
    unknown: ['X86_64 999', 'architecture 0x00000099 1'],
  });
  expect(nameRecordedCalls('', 'AARCH64')).toEqual({ architectures: ['SCMP_ARCH_AARCH64'], names: [], unknown: [] });
});
