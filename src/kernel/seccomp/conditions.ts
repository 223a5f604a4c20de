import { StrakeError } from '../../base/index.ts';
import type { SeccompArg } from '../../oci/index.ts';
import { type BpfWriter, bpf, type Place } from './bpf.ts';

export const seccompOperators = ['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'] as const;
type Operator = (typeof seccompOperators)[number];

/** A comparison of one argument; values as unsigned 64-bit numbers. */
export interface Condition {
  readonly index: number;
  readonly operator: Operator;
  /** the mask for MASKED_EQ */
  readonly value: bigint;
  /** what the masked argument must be */
  readonly valueTwo: bigint;
}

/** How an architecture passes arguments. */
export interface ArgumentLayout {
  readonly narrow: boolean;
  readonly bigEndian: boolean;
}

/** Checks one `args` entry of the configuration. */
export function parseCondition(arg: SeccompArg): Condition {
  const operator = seccompOperators.find((name) => name === arg.op);
  if (!operator) throw invalid(`string ${arg.op} is not a valid operator for seccomp`);
  if (!Number.isInteger(arg.index) || arg.index < 0 || arg.index > 5) throw invalid(`seccomp argument index ${arg.index} is not in 0-5`);
  const value = BigInt.asUintN(64, BigInt(arg.value));
  const valueTwo = BigInt.asUintN(64, BigInt(arg.valueTwo ?? 0));
  // Bits outside of the mask do not count, as libseccomp has it; else such a rule would never hold.
  return { index: arg.index, operator, value, valueTwo: operator === 'SCMP_CMP_MASKED_EQ' ? valueTwo & value : valueTwo };
}

/** Writes the check of several conditions that must all hold; goes on at `pass` or `fail`. */
export function writeConditions(writer: BpfWriter, conditions: readonly Condition[], layout: ArgumentLayout, pass: Place, fail: Place): Place {
  let next = pass;
  for (const condition of conditions.toReversed()) next = writeCondition(writer, condition, layout, next, fail);
  return next;
}

/** The accumulator is only 32 bits wide, so a 64-bit comparison looks at the high word first (struct seccomp_data: args from byte 16). */
function writeCondition(writer: BpfWriter, condition: Condition, { narrow, bigEndian }: ArgumentLayout, pass: Place, fail: Place): Place {
  const { index, operator, value, valueTwo } = condition;
  const offset = 16 + 8 * index;
  writeLowWord(writer, operator, Number(value & 0xffff_ffffn), Number(valueTwo & 0xffff_ffffn), pass, fail);
  const low = writer.load(bigEndian ? offset + 4 : offset);
  if (narrow) return low;
  writeHighWord(writer, operator, Number(value >> 32n), Number(valueTwo >> 32n), { low, pass, fail });
  return writer.load(bigEndian ? offset : offset + 4);
}

/** The comparison of the low word, which decides when the high words are equal. */
function writeLowWord(writer: BpfWriter, operator: Operator, value: number, valueTwo: number, pass: Place, fail: Place): void {
  switch (operator) {
    case 'SCMP_CMP_EQ':
      writer.branch(bpf.jumpEqual, value, pass, fail);
      return;
    case 'SCMP_CMP_NE':
      writer.branch(bpf.jumpEqual, value, fail, pass);
      return;
    case 'SCMP_CMP_GT':
      writer.branch(bpf.jumpGreater, value, pass, fail);
      return;
    case 'SCMP_CMP_GE':
      writer.branch(bpf.jumpGreaterEqual, value, pass, fail);
      return;
    case 'SCMP_CMP_LT':
      writer.branch(bpf.jumpGreaterEqual, value, fail, pass);
      return;
    case 'SCMP_CMP_LE':
      writer.branch(bpf.jumpGreater, value, fail, pass);
      return;
    case 'SCMP_CMP_MASKED_EQ':
      writer.branch(bpf.jumpEqual, valueTwo, pass, fail);
      writer.and(value);
  }
}

interface Targets {
  /** the check of the low word */
  readonly low: Place;
  readonly pass: Place;
  readonly fail: Place;
}

function writeHighWord(writer: BpfWriter, operator: Operator, value: number, valueTwo: number, { low, pass, fail }: Targets): void {
  switch (operator) {
    case 'SCMP_CMP_EQ':
      writer.branch(bpf.jumpEqual, value, low, fail);
      return;
    case 'SCMP_CMP_NE':
      writer.branch(bpf.jumpEqual, value, low, pass);
      return;
    case 'SCMP_CMP_GT':
    case 'SCMP_CMP_GE':
      writer.branch(bpf.jumpGreater, value, pass, writer.branch(bpf.jumpEqual, value, low, fail));
      return;
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE':
      writer.branch(bpf.jumpGreater, value, fail, writer.branch(bpf.jumpEqual, value, low, pass));
      return;
    case 'SCMP_CMP_MASKED_EQ':
      writer.branch(bpf.jumpEqual, valueTwo, low, fail);
      writer.and(value);
  }
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel', field: 'linux.seccomp.syscalls' } });
}
