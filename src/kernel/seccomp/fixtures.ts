import { bpf, sockFilterBytes } from './bpf.ts';

/** struct seccomp_data without the instruction pointer; args are unsigned 64-bit. */
export interface SeccompCall {
  readonly number: number;
  readonly auditArch: number;
  readonly args: readonly bigint[];
}

/** Runs a filter as the kernel would, for tests. Throws on an instruction that is not one of seccomp's, or a jump out of the program. */
export function runFilter(filter: Buffer, call: SeccompCall): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.auditArch, 4);
  for (const [index, value] of call.args.entries()) data.writeBigUInt64LE(value, 16 + 8 * index);
  let accumulator = 0;
  for (let position = 0; ; position++) {
    const start = position * sockFilterBytes;
    if (start >= filter.length) throw new Error(`jump to ${position} of ${filter.length / sockFilterBytes}`);
    const code = filter.readUInt16LE(start);
    const k = filter.readUInt32LE(start + 4);
    const go = (holds: boolean) => {
      position += filter.readUInt8(start + (holds ? 2 : 3));
    };
    if (code === bpf.loadWord) accumulator = data.readUInt32LE(k);
    else if (code === bpf.and) accumulator = (accumulator & k) >>> 0;
    else if (code === bpf.jump) position += k;
    else if (code === bpf.jumpEqual) go(accumulator === k);
    else if (code === bpf.jumpGreater) go(accumulator > k);
    else if (code === bpf.jumpGreaterEqual) go(accumulator >= k);
    else if (code === bpf.return) return k;
    else throw new Error(`instruction 0x${code.toString(16)} at ${position}`);
  }
}
