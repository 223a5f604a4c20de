import { randomBytes } from 'node:crypto';

/**
 * A number from 1 to 255 for each of very many paths, in some 20 bytes each: a map of strings takes ten times as many, and how many there are is up to the
 * layer. Paths are known by 64 bits of a hash with a key of this process: to be taken for another is less likely than a fault of the memory.
 */
export class PathTable {
  static readonly #key = randomBytes(8);
  #high = new Uint32Array(1024);
  #low = new Uint32Array(1024);
  #values = new Uint8Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** 0 when it is not there. */
  get(path: string): number {
    return this.#values[this.#find(...hashOf(path, PathTable.#key))] ?? 0;
  }

  set(path: string, value: number): void {
    if (2 * (this.#size + 1) > this.#values.length) this.#grow();
    const [high, low] = hashOf(path, PathTable.#key);
    const slot = this.#find(high, low);
    if (this.#values[slot] === 0) this.#size++;
    this.#put(slot, high, low, value);
  }

  #put(slot: number, high: number, low: number, value: number): void {
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#values[slot] = value;
  }

  /** The slot of the hash, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#values.length - 1;
    let slot = low & mask;
    while (this.#values[slot] !== 0 && (this.#high[slot] !== high || this.#low[slot] !== low)) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [high, low, values] = [this.#high, this.#low, this.#values];
    this.#high = new Uint32Array(2 * values.length);
    this.#low = new Uint32Array(2 * values.length);
    this.#values = new Uint8Array(2 * values.length);
    for (const [slot, value] of values.entries()) {
      if (value === 0) continue;
      const [a = 0, b = 0] = [high[slot], low[slot]];
      this.#put(this.#find(a, b), a, b, value);
    }
  }
}

/** Two lanes of multiply and mix (the constants are those of xxHash32's primes). */
function hashOf(path: string, key: Buffer): [high: number, low: number] {
  let a = key.readInt32LE(0);
  let b = key.readInt32LE(4);
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b + unit, 0x85ebca77);
    b ^= b >>> 13;
  }
  return [Math.imul(a, 0xc2b2ae3d) >>> 0, (Math.imul(b, 0x27d4eb2f) ^ (b >>> 16)) >>> 0];
}
