/** Classic BPF as seccomp takes it (linux/filter.h, linux/bpf_common.h). */
export interface BpfInstruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

export const bpf = {
  loadWord: 0x20, // BPF_LD | BPF_W | BPF_ABS
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  jump: 0x05, // BPF_JMP | BPF_JA
  jumpEqual: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  jumpGreater: 0x25, // BPF_JMP | BPF_JGT | BPF_K
  jumpGreaterEqual: 0x35, // BPF_JMP | BPF_JGE | BPF_K
  return: 0x06, // BPF_RET | BPF_K
} as const;

/** Bytes of struct sock_filter; BPF_MAXINSNS. */
export const sockFilterBytes = 8;
export const maxBpfInstructions = 4096;
/** Jumps of a condition are one byte. */
const longestJump = 255;

export function instruction(code: number, k: number, jumpTrue = 0, jumpFalse = 0): BpfInstruction {
  return { code, jumpTrue, jumpFalse, k: k >>> 0 };
}

/** `otherwise`, then `then`, with a condition before them that leads into one; both end in a return. */
export function branch(code: number, k: number, then: readonly BpfInstruction[], otherwise: readonly BpfInstruction[]): BpfInstruction[] {
  if (otherwise.length <= longestJump) return [instruction(code, k, otherwise.length, 0), ...otherwise, ...then];
  return [instruction(code, k, 0, 1), instruction(bpf.jump, otherwise.length), ...otherwise, ...then];
}

/** An array of struct sock_filter, little endian. */
export function encodeBpf(instructions: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * sockFilterBytes);
  for (const [index, { code, jumpTrue, jumpFalse, k }] of instructions.entries()) {
    const start = index * sockFilterBytes;
    bytes.writeUInt16LE(code, start);
    bytes[start + 2] = jumpTrue;
    bytes[start + 3] = jumpFalse;
    bytes.writeUInt32LE(k, start + 4);
  }
  return bytes;
}
