import { StrakeError } from '../../base/index.ts';
import type { SeccompArg } from '../../oci/index.ts';
import { type BpfInstruction, bpf, instruction } from './bpf.ts';

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

/** Checks one `args` entry of the configuration. */
export function parseCondition(arg: SeccompArg): Condition {
  const operator = seccompOperators.find((name) => name === arg.op);
  if (!operator) throw new StrakeError('InvalidArgument', `unknown seccomp operator ${JSON.stringify(arg.op)}`, { fields: { layer: 'kernel' } });
  if (!Number.isInteger(arg.index) || arg.index < 0 || arg.index > 5)
    throw new StrakeError('InvalidArgument', `seccomp argument index ${arg.index} is not in 0-5`, { fields: { layer: 'kernel' } });
  return { index: arg.index, operator, value: BigInt.asUintN(64, BigInt(arg.value)), valueTwo: BigInt.asUintN(64, BigInt(arg.valueTwo ?? 0)) };
}

/** A step of a check, with where to go: `pass` is the next check, `fail` the next rule. Both are resolved when the block's length is known. */
interface Step {
  readonly code: number;
  readonly k: number;
  readonly whenTrue?: 'pass' | 'fail';
  readonly whenFalse?: 'pass' | 'fail';
}

/**
 * The checks of one rule, all of which must hold, and its return. The accumulator is only 32 bits wide, so a 64-bit comparison looks at the high
 * word first (struct seccomp_data: args from byte 16, little endian). Ends after the block when one fails.
 */
export function compileRule(conditions: readonly Condition[], narrow: boolean, result: number): BpfInstruction[] {
  const blocks = conditions.map((condition) => (narrow ? narrowSteps(condition) : wideSteps(condition)));
  const total = blocks.reduce((sum, block) => sum + block.length, 1);
  const code: BpfInstruction[] = [];
  for (const block of blocks) {
    const end = code.length + block.length;
    for (const step of block) {
      const here = code.length + 1;
      const distance = (where: 'pass' | 'fail' | undefined) => (where === undefined ? 0 : (where === 'pass' ? end : total) - here);
      code.push(instruction(step.code, step.k, distance(step.whenTrue), distance(step.whenFalse)));
    }
  }
  code.push(instruction(bpf.return, result));
  return code;
}

/** The comparison of the low word, which decides when the high words are equal. */
function narrowSteps({ index, operator, value, valueTwo }: Condition): Step[] {
  const low = Number(value & 0xffff_ffffn);
  const load: Step = { code: bpf.loadWord, k: 16 + 8 * index };
  switch (operator) {
    case 'SCMP_CMP_EQ':
      return [load, { code: bpf.jumpEqual, k: low, whenFalse: 'fail' }];
    case 'SCMP_CMP_NE':
      return [load, { code: bpf.jumpEqual, k: low, whenTrue: 'fail' }];
    case 'SCMP_CMP_GT':
      return [load, { code: bpf.jumpGreater, k: low, whenFalse: 'fail' }];
    case 'SCMP_CMP_GE':
      return [load, { code: bpf.jumpGreaterEqual, k: low, whenFalse: 'fail' }];
    case 'SCMP_CMP_LT':
      return [load, { code: bpf.jumpGreaterEqual, k: low, whenTrue: 'fail' }];
    case 'SCMP_CMP_LE':
      return [load, { code: bpf.jumpGreater, k: low, whenTrue: 'fail' }];
    case 'SCMP_CMP_MASKED_EQ':
      return [load, { code: bpf.and, k: low }, { code: bpf.jumpEqual, k: Number(valueTwo & 0xffff_ffffn), whenFalse: 'fail' }];
  }
}

function wideSteps(condition: Condition): Step[] {
  const { index, operator, value, valueTwo } = condition;
  const high = Number(value >> 32n);
  const load: Step = { code: bpf.loadWord, k: 16 + 8 * index + 4 };
  const low = narrowSteps(condition);
  switch (operator) {
    case 'SCMP_CMP_EQ':
      return [load, { code: bpf.jumpEqual, k: high, whenFalse: 'fail' }, ...low];
    case 'SCMP_CMP_NE':
      return [load, { code: bpf.jumpEqual, k: high, whenFalse: 'pass' }, ...low];
    case 'SCMP_CMP_GT':
    case 'SCMP_CMP_GE':
      return [load, { code: bpf.jumpGreater, k: high, whenTrue: 'pass' }, { code: bpf.jumpEqual, k: high, whenFalse: 'fail' }, ...low];
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE':
      return [load, { code: bpf.jumpGreater, k: high, whenTrue: 'fail' }, { code: bpf.jumpEqual, k: high, whenFalse: 'pass' }, ...low];
    case 'SCMP_CMP_MASKED_EQ':
      return [load, { code: bpf.and, k: high }, { code: bpf.jumpEqual, k: Number(valueTwo >> 32n), whenFalse: 'fail' }, ...low];
  }
}
