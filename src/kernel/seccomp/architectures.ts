import { StrakeError } from '../../base/index.ts';
import { syscallTables } from './syscalls.gen.ts';

/** Architectures whose system calls are known by name. */
export type SeccompArch = keyof typeof syscallTables;

/** AUDIT_ARCH_* (linux/audit.h). x32 shares x86_64's and marks its numbers instead. */
export const auditArch: Readonly<Record<SeccompArch, number>> = {
  x86_64: 0xc000003e,
  x86: 0x40000003,
  x32: 0xc000003e,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
};

/** __X32_SYSCALL_BIT (asm/unistd.h of x86). */
export const x32Bit = 0x4000_0000;

const ociNames: Readonly<Record<string, SeccompArch>> = {
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'aarch64',
  SCMP_ARCH_ARM: 'arm',
};

/** Named by the specification, but a machine that runs this never sees a call of theirs: their mention changes nothing. */
const foreignNames = new Set(
  [
    'MIPS',
    'MIPS64',
    'MIPS64N32',
    'MIPSEL',
    'MIPSEL64',
    'MIPSEL64N32',
    'PPC',
    'PPC64',
    'PPC64LE',
    'S390',
    'S390X',
    'PARISC',
    'PARISC64',
    'RISCV64',
    'LOONGARCH64',
    'M68K',
    'SH',
    'SHEB',
  ].map((name) => `SCMP_ARCH_${name}`),
);

/** The architectures of a filter: the machine's own first, always, then those that the configuration adds. */
export function filterArchitectures(native: SeccompArch, names: readonly string[]): readonly SeccompArch[] {
  const found = new Set<SeccompArch>([native]);
  for (const name of names) {
    const arch = ociNames[name];
    if (arch) found.add(arch);
    else if (!foreignNames.has(name))
      throw new StrakeError('InvalidArgument', `unknown seccomp architecture ${JSON.stringify(name)}`, { fields: { layer: 'kernel' } });
  }
  return [...found];
}

const parsed = new Map<SeccompArch, ReadonlyMap<string, number>>();

/** name → number. */
export function syscallNumbers(arch: SeccompArch): ReadonlyMap<string, number> {
  let numbers = parsed.get(arch);
  if (!numbers) {
    numbers = new Map(
      syscallTables[arch].split(',').map((word) => {
        const [name = '', number] = word.split(' ');
        return [name, Number(number)] as const;
      }),
    );
    parsed.set(arch, numbers);
  }
  return numbers;
}

/** Arguments are compared as 32-bit values there. */
export function isNarrow(arch: SeccompArch): boolean {
  return arch === 'x86' || arch === 'x32' || arch === 'arm';
}

const socketcalls =
  'socket,bind,connect,listen,accept,getsockname,getpeername,socketpair,send,recv,sendto,recvfrom,shutdown,setsockopt,getsockopt,sendmsg,recvmsg,accept4,recvmmsg,sendmmsg';
const ipcCalls = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};
const multiplexed = new Map<string, readonly [string, number]>();
for (const [index, name] of socketcalls.split(',').entries()) multiplexed.set(name, ['socketcall', index + 1]);
for (const [name, number] of Object.entries(ipcCalls)) multiplexed.set(name, ['ipc', number]);

/** On i386, the call that `name` can also be made through, and its first argument there (linux/net.h, linux/ipc.h). */
export function multiplexedCall(arch: SeccompArch, name: string): readonly [string, number] | undefined {
  return arch === 'x86' ? multiplexed.get(name) : undefined;
}
