import { bpf, sockFilterBytes } from './bpf.ts';

/** struct seccomp_data without the instruction pointer; args are unsigned 64-bit. */
export interface SeccompCall {
  readonly number: number;
  readonly auditArch: number;
  readonly args: readonly bigint[];
}

/**
 * Runs a filter as the kernel would, for tests. Throws on an instruction that is not one of seccomp's, or a jump out of the program. `bigEndian`: the
 * filter is for a machine of that order.
 */
export function runFilter(filter: Uint8Array, call: SeccompCall, bigEndian = false): number {
  const littleEndian = !bigEndian;
  const instructions = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number >>> 0, littleEndian);
  data.setUint32(4, call.auditArch, littleEndian);
  for (const [index, value] of call.args.entries()) data.setBigUint64(16 + 8 * index, value, littleEndian);
  let accumulator = 0;
  for (let position = 0; ; position++) {
    const start = position * sockFilterBytes;
    if (start >= filter.length) throw new Error(`jump to ${position} of ${filter.length / sockFilterBytes}`);
    const code = instructions.getUint16(start, littleEndian);
    const k = instructions.getUint32(start + 4, littleEndian);
    const go = (holds: boolean) => {
      position += instructions.getUint8(start + (holds ? 2 : 3));
    };
    if (code === bpf.loadWord) accumulator = data.getUint32(k, littleEndian);
    else if (code === bpf.and) accumulator = (accumulator & k) >>> 0;
    else if (code === bpf.jump) position += k;
    else if (code === bpf.jumpEqual) go(accumulator === k);
    else if (code === bpf.jumpGreater) go(accumulator > k);
    else if (code === bpf.jumpGreaterEqual) go(accumulator >= k);
    else if (code === bpf.return) return k;
    else throw new Error(`instruction 0x${code.toString(16)} at ${position}`);
  }
}
