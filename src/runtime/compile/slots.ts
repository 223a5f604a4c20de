import { StrakeError } from '../../base/index.ts';

/** strake-init has 64 descriptor slots a process (docs/CONTRACTS.md). */
const slotLimit = 64;

/** Hands out slots of one program. The init inherits what the host side opened before `clone`. */
export class SlotAllocator {
  #next = 0;

  take(): number {
    if (this.#next >= slotLimit) throw new StrakeError('ResourceExhausted', `a program has at most ${slotLimit} descriptors`, { fields: { layer: 'runtime' } });
    const slot = this.#next;
    this.#next += 1;
    return slot;
  }
}
