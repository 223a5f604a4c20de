import { StrakeError } from '../../base/index.ts';

/** Classic BPF as seccomp takes it (linux/filter.h, linux/bpf_common.h). */
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
/** How far back a return is used again: what is put before it until its jump is written must leave that within reach. */
const returnReach = 128;
/** Beyond this no filter is of use any more, and its real length is not worth the memory. */
const maxEmitted = 1 << 16;

/** Where an instruction stands, counted from the end of the program: 1 is the last one. */
export type Place = number;

/**
 * Writes a filter from its end to its beginning: every jump of BPF leads forward, so that what it leads to is known when it is written. An instruction without
 * a target goes on with the one that was written before it.
 */
export class BpfWriter {
  #words = new Uint32Array(2 * maxBpfInstructions);
  #count = 0;
  readonly #returns = new Map<number, Place>();

  get length(): number {
    return this.#count;
  }

  /** The instruction written last. */
  get here(): Place {
    return this.#count;
  }

  load(offset: number): Place {
    return this.#emit(bpf.loadWord, offset);
  }

  and(mask: number): Place {
    return this.#emit(bpf.and, mask);
  }

  /** A return of `value`, an earlier one where that is near. */
  return(value: number): Place {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#count - known < returnReach) return known;
    const place = this.#emit(bpf.return, value);
    this.#returns.set(value, place);
    return place;
  }

  /** A comparison of the accumulator with `k`. */
  branch(code: number, k: number, whenTrue: Place, whenFalse: Place): Place {
    // The far one first: the jump to it that may be needed moves the other a step away.
    const far = this.#near(Math.min(whenTrue, whenFalse), 1);
    const near = this.#near(Math.max(whenTrue, whenFalse), 0);
    const [onTrue, onFalse] = whenTrue <= whenFalse ? [far, near] : [near, far];
    return this.#emit(code | ((this.#count - onTrue) << 16) | ((this.#count - onFalse) << 24), k);
  }

  /** Goes on at `place`, wherever that is. */
  continueAt(place: Place): Place {
    return place === this.#count ? place : this.#emit(bpf.jump, this.#count - place);
  }

  /** A place within reach of a condition that is written after at most `steps` more instructions. */
  #near(place: Place, steps: number): Place {
    return this.#count + steps - place <= longestJump ? place : this.#emit(bpf.jump, this.#count - place);
  }

  #emit(code: number, k: number): Place {
    const at = 2 * this.#count;
    this.#count += 1;
    if (at < this.#words.length) {
      this.#words[at] = code;
      this.#words[at + 1] = k;
    }
    if (this.#count > maxEmitted) throw tooLong(`more than ${maxEmitted}`);
    return this.#count;
  }

  /** An array of struct sock_filter in the byte order of the machine that it is for. ResourceExhausted when it is longer than the kernel takes. */
  encode(bigEndian: boolean): Buffer {
    const count = this.#count;
    if (count > maxBpfInstructions) throw tooLong(String(count));
    const bytes = Buffer.allocUnsafe(count * sockFilterBytes);
    for (let index = 0; index < count; index += 1) {
      const at = 2 * (count - 1 - index);
      const head = this.#words[at] ?? 0;
      const k = this.#words[at + 1] ?? 0;
      const start = index * sockFilterBytes;
      if (bigEndian) {
        bytes.writeUInt16BE(head & 0xffff, start);
        bytes[start + 2] = head >>> 16;
        bytes[start + 3] = head >>> 24;
        bytes.writeUInt32BE(k, start + 4);
      } else {
        bytes.writeUInt32LE(head, start);
        bytes.writeUInt32LE(k, start + 4);
      }
    }
    return bytes;
  }
}

function tooLong(count: string): StrakeError {
  return new StrakeError('ResourceExhausted', `seccomp profile makes a filter of ${count} instructions, at most ${maxBpfInstructions} are possible`, {
    fields: { layer: 'kernel', field: 'linux.seccomp' },
  });
}
