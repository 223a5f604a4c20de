import { StrakeError } from '../../base/index.ts';
import { type DevicePolicy, deviceAccess } from './device-rules.ts';

/** Bytes of struct bpf_insn. */
export const bpfInstructionBytes = 8;
/** BPF_MAXINSNS: what any kernel loads. */
const maxInstructions = 4096;

/** eBPF opcodes used here (linux/bpf.h, bpf_common.h). */
export const ebpf = {
  loadWord: 0x61, // BPF_LDX | BPF_MEM | BPF_W
  movImm: 0xb7, // BPF_ALU64 | BPF_MOV | BPF_K
  movReg32: 0xbc, // BPF_ALU | BPF_MOV | BPF_X
  andImm32: 0x54, // BPF_ALU | BPF_AND | BPF_K
  shiftRightImm32: 0x74, // BPF_ALU | BPF_RSH | BPF_K
  jumpEqualImm: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  jumpNotEqualImm: 0x55, // BPF_JMP | BPF_JNE | BPF_K
  jumpNotEqualReg: 0x5d, // BPF_JMP | BPF_JNE | BPF_X
  exit: 0x95, // BPF_JMP | BPF_EXIT
} as const;

/** Registers: r1 is the context at entry, r2 type, r3 access, r4 major, r5 minor, r1 then scratch. */
const reg = { result: 0, context: 1, scratch: 1, type: 2, access: 3, major: 4, minor: 5 } as const;
const deviceTypes = { b: 1, c: 2 } as const;

interface Instruction {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly imm: number;
  /** jumps to the end of its block */
  readonly leaves?: boolean;
  /** byte offset of a load */
  readonly offset?: number;
}

/**
 * Compiles a device policy to a BPF_PROG_TYPE_CGROUP_DEVICE program, an array of struct bpf_insn (little endian). Its context is
 * struct bpf_cgroup_dev_ctx: u32 access_type (type in the low half, access in the high half), u32 major, u32 minor; it returns 1 to allow.
 * An allowing exception must cover the whole access asked for; a denying one is enough if it meets any part of it.
 */
export function compileDeviceProgram(policy: DevicePolicy): Buffer {
  const prologue: Instruction[] = [
    { code: ebpf.loadWord, dst: reg.type, src: reg.context, imm: 0, offset: 0 },
    { code: ebpf.movReg32, dst: reg.access, src: reg.type, imm: 0 },
    { code: ebpf.andImm32, dst: reg.type, src: 0, imm: 0xffff },
    { code: ebpf.shiftRightImm32, dst: reg.access, src: 0, imm: 16 },
    { code: ebpf.loadWord, dst: reg.major, src: reg.context, imm: 0, offset: 4 },
    { code: ebpf.loadWord, dst: reg.minor, src: reg.context, imm: 0, offset: 8 },
  ];
  const blocks = policy.exceptions.map((exception): Instruction[] => {
    const block: Instruction[] = [{ code: ebpf.jumpNotEqualImm, dst: reg.type, src: 0, imm: deviceTypes[exception.type], leaves: true }];
    if (exception.access !== deviceAccess.all) {
      block.push({ code: ebpf.movReg32, dst: reg.scratch, src: reg.access, imm: 0 });
      block.push({ code: ebpf.andImm32, dst: reg.scratch, src: 0, imm: exception.access });
      block.push(
        policy.defaultAllow
          ? { code: ebpf.jumpEqualImm, dst: reg.scratch, src: 0, imm: 0, leaves: true }
          : { code: ebpf.jumpNotEqualReg, dst: reg.scratch, src: reg.access, imm: 0, leaves: true },
      );
    }
    if (exception.major !== undefined) block.push({ code: ebpf.jumpNotEqualImm, dst: reg.major, src: 0, imm: exception.major, leaves: true });
    if (exception.minor !== undefined) block.push({ code: ebpf.jumpNotEqualImm, dst: reg.minor, src: 0, imm: exception.minor, leaves: true });
    return [...block, ...verdict(!policy.defaultAllow)];
  });
  const all = [prologue, ...blocks, verdict(policy.defaultAllow)];
  const count = all.reduce((sum, block) => sum + block.length, 0);
  if (count > maxInstructions)
    throw new StrakeError(
      'ResourceExhausted',
      `${policy.exceptions.length} device rules make a program of ${count} instructions, at most ${maxInstructions} are possible`,
      {
        fields: { layer: 'kernel' },
      },
    );
  const program = Buffer.alloc(count * bpfInstructionBytes);
  let index = 0;
  for (const block of all)
    for (const [position, { code, dst, src, imm, leaves, offset }] of block.entries()) {
      const start = index * bpfInstructionBytes;
      program[start] = code;
      program[start + 1] = (src << 4) | dst;
      program.writeInt16LE(leaves ? block.length - position - 1 : (offset ?? 0), start + 2);
      program.writeInt32LE(imm, start + 4);
      index += 1;
    }
  return program;
}

function verdict(allow: boolean): Instruction[] {
  return [
    { code: ebpf.movImm, dst: reg.result, src: 0, imm: allow ? 1 : 0 },
    { code: ebpf.exit, dst: 0, src: 0, imm: 0 },
  ];
}
