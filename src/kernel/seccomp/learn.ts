import { returnValues } from './actions.ts';
import { architecture, type SeccompArch, seccompArchitectures, syscallTable, x32Bit } from './architectures.ts';
import { BpfWriter, bpf } from './bpf.ts';
import { writeConditions } from './conditions.ts';

/** The argument that the kernel does not read of the two calls that pass. */
const passIndex = 3;

/**
 * A filter that asks about every call, but for the two that hand its descriptor over (operation `learn`): sendmsg and close of this architecture with `pass` as
 * their fourth argument. `pass` is a random number: no call of the program has it there.
 */
export function learningFilter(native: SeccompArch, pass: bigint): Uint8Array {
  const table = syscallTable(native);
  const writer = new BpfWriter();
  const notify = writer.return(returnValues.notify);
  const allow = writer.return(returnValues.allow);
  const condition = { index: passIndex, operator: 'SCMP_CMP_EQ', value: pass, valueTwo: 0n } as const;
  const check = writeConditions(writer, [condition], { narrow: false, bigEndian: false }, allow, notify);
  let next = notify;
  for (const name of ['sendmsg', 'close']) next = writer.branch(bpf.jumpEqual, table[name] ?? -1, check, next);
  const number = writer.load(0);
  writer.branch(bpf.jumpEqual, architecture(native).audit, number, notify);
  writer.load(4);
  return writer.encode(false);
}

export interface RecordedCalls {
  /** in the order of the specification's names: `SCMP_ARCH_X86_64` */
  readonly architectures: readonly string[];
  /** sorted */
  readonly names: readonly string[];
  /** calls that no table names, as text */
  readonly unknown: readonly string[];
}

/** Reads the lines that `learn` has written: `AUDIT-NUMBER NUMBER`. The machine's own architecture is always among them. */
export function nameRecordedCalls(text: string, native: SeccompArch): RecordedCalls {
  const architectures = new Set<SeccompArch>([native]);
  const names = new Set<string>();
  const unknown: string[] = [];
  for (const line of text.split('\n')) {
    const [, audit, number] = /^([0-9a-f]{8}) (\d+)$/.exec(line) ?? [];
    if (audit === undefined) continue;
    const arch = callArchitecture(Number.parseInt(audit, 16), Number(number));
    const name = arch && callName(arch, Number(number) - (architecture(arch).base ?? 0));
    if (arch) architectures.add(arch);
    if (name === undefined) unknown.push(`${arch ?? `architecture 0x${audit}`} ${number}`);
    else names.add(name);
  }
  return { architectures: [...architectures].map((arch) => `SCMP_ARCH_${arch}`).sort(), names: [...names].sort(), unknown };
}

function callArchitecture(audit: number, number: number): SeccompArch | undefined {
  const candidates = seccompArchitectures.map((name) => name.slice('SCMP_ARCH_'.length) as SeccompArch).filter((arch) => architecture(arch).audit === audit);
  const x32 = number >= x32Bit;
  return candidates.find((arch) => candidates.length === 1 || (arch === 'X32') === x32);
}

function callName(arch: SeccompArch, number: number): string | undefined {
  return Object.entries(syscallTable(arch)).find(([, value]) => value === number)?.[0];
}
