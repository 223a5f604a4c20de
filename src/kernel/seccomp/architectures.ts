import { StrakeError } from '../../base/index.ts';
import { foreignTables } from './tables/foreign.gen.ts';
import { ownTables } from './tables/own.gen.ts';

type OwnTable = keyof typeof ownTables;
type ForeignTable = keyof typeof foreignTables;
type Table = OwnTable | ForeignTable;

interface Architecture {
  /** AUDIT_ARCH_* (linux/audit.h) */
  readonly audit: number;
  readonly table: Table;
  /** what the table's numbers are above; 0 unless given */
  readonly base?: number;
  /** arguments are compared as 32-bit values */
  readonly narrow?: true;
  readonly bigEndian?: true;
  /** the socket and IPC calls can be made through `socketcall` and `ipc` too */
  readonly multiplexes?: true;
}

/** __X32_SYSCALL_BIT (asm/unistd.h of x86): x32 shares x86_64's audit number and marks its calls instead. */
export const x32Bit = 0x4000_0000;

/** Every architecture of libseccomp 2.6 by its name in the specification, without `SCMP_ARCH_`. */
const architectures = {
  X86_64: { audit: 0xc000003e, table: 'x86_64' },
  X86: { audit: 0x40000003, table: 'x86', narrow: true, multiplexes: true },
  X32: { audit: 0xc000003e, table: 'x32', base: x32Bit, narrow: true },
  AARCH64: { audit: 0xc00000b7, table: 'aarch64' },
  ARM: { audit: 0x40000028, table: 'arm', narrow: true },
  LOONGARCH64: { audit: 0xc0000102, table: 'loongarch64' },
  M68K: { audit: 0x4, table: 'm68k', narrow: true, bigEndian: true, multiplexes: true },
  MIPS: { audit: 0x8, table: 'mips', base: 4000, narrow: true, bigEndian: true, multiplexes: true },
  MIPS64: { audit: 0x80000008, table: 'mips64', base: 5000, bigEndian: true },
  MIPS64N32: { audit: 0xa0000008, table: 'mips64n32', base: 6000, narrow: true, bigEndian: true },
  MIPSEL: { audit: 0x40000008, table: 'mips', base: 4000, narrow: true, multiplexes: true },
  MIPSEL64: { audit: 0xc0000008, table: 'mips64', base: 5000 },
  MIPSEL64N32: { audit: 0xe0000008, table: 'mips64n32', base: 6000, narrow: true },
  PARISC: { audit: 0xf, table: 'parisc', narrow: true, bigEndian: true },
  PARISC64: { audit: 0x8000000f, table: 'parisc64', bigEndian: true },
  PPC: { audit: 0x14, table: 'ppc', narrow: true, bigEndian: true, multiplexes: true },
  PPC64: { audit: 0x80000015, table: 'ppc64', bigEndian: true, multiplexes: true },
  PPC64LE: { audit: 0xc0000015, table: 'ppc64', multiplexes: true },
  RISCV64: { audit: 0xc00000f3, table: 'riscv64' },
  S390: { audit: 0x16, table: 's390', narrow: true, bigEndian: true, multiplexes: true },
  S390X: { audit: 0x80000016, table: 's390x', bigEndian: true, multiplexes: true },
  SH: { audit: 0x4000002a, table: 'sh', narrow: true, multiplexes: true },
  SHEB: { audit: 0x2a, table: 'sh', narrow: true, bigEndian: true, multiplexes: true },
} as const satisfies Readonly<Record<string, Architecture>>;

export type SeccompArch = keyof typeof architectures;

export const seccompArchitectures = Object.keys(architectures)
  .map((name) => `SCMP_ARCH_${name}`)
  .sort();

/** The machines that a container can run on, as uname(2) names them. */
export const machineArch = { x86_64: 'X86_64', aarch64: 'AARCH64' } as const;
export type MachineName = keyof typeof machineArch;

export function architecture(arch: SeccompArch): Architecture {
  return architectures[arch];
}

const prefix = 'SCMP_ARCH_';

/**
 * The architectures of a filter: the machine's own first, always, then those that the configuration adds. One of the other byte order is left out: no call
 * of it can come, and a filter is written in one order.
 */
export function filterArchitectures(native: SeccompArch, names: readonly string[]): readonly SeccompArch[] {
  const found = new Set<SeccompArch>([native]);
  for (const name of names) {
    const arch = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (!Object.hasOwn(architectures, arch))
      throw new StrakeError('InvalidArgument', `string ${name} is not a valid arch for seccomp`, {
        fields: { layer: 'kernel', field: 'linux.seccomp.architectures' },
      });
    if (architecture(arch as SeccompArch).bigEndian === architecture(native).bigEndian) found.add(arch as SeccompArch);
  }
  return [...found];
}

/** The number of a system call by name, less the architecture's base. */
export type SyscallTable = Readonly<Record<string, number>>;

const parsed = new Map<Table, SyscallTable>();

export function syscallTable(arch: SeccompArch): SyscallTable {
  const { table } = architecture(arch);
  let numbers = parsed.get(table);
  if (!numbers) {
    numbers = JSON.parse(Object.hasOwn(ownTables, table) ? ownTables[table as OwnTable] : foreignTables[table as ForeignTable]) as SyscallTable;
    parsed.set(table, numbers);
  }
  return numbers;
}

/** Names as a client writes them: `constructor`, which an object has too, is no number. */
export function syscallNumber(table: SyscallTable, name: string): number | undefined {
  const number = table[name];
  return typeof number === 'number' ? number : undefined;
}

const socketcalls =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg';
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
const multiplexed = new Map<string, readonly ['socketcall' | 'ipc', number]>([
  ...socketcalls.split(' ').map((name, index) => [name, ['socketcall', index + 1]] as const),
  ...Object.entries(ipcCalls).map(([name, number]) => [name, ['ipc', number]] as const),
]);

/** The call that `name` can also be made through, and its first argument there (linux/net.h, linux/ipc.h). */
export function multiplexedCall(name: string): readonly ['socketcall' | 'ipc', number] | undefined {
  return multiplexed.get(name);
}
