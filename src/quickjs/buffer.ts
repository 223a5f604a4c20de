import * as system from 'strake:system';

const forms: Readonly<Record<string, number>> = { utf8: 1, 'utf-8': 1, latin1: 2 };

/** The part of Node's Buffer that the runtime uses. */
export class Buffer extends Uint8Array {
  static override from(source: ArrayBuffer | string | ArrayLike<number> | Iterable<number>, encoding: unknown = 'utf8', length?: unknown): Buffer {
    if (source instanceof ArrayBuffer) return new Buffer(source, Number(encoding) || 0, length as number | undefined);
    if (typeof source !== 'string') return new Buffer(Array.from(source));
    if (encoding === 'utf8') return new Buffer(system.encode(source));
    if (encoding === 'latin1') return new Buffer(Array.from(source, (_, index) => source.charCodeAt(index)));
    if (encoding === 'hex') return new Buffer(Array.from(source.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    throw new TypeError(`Buffer.from: ${String(encoding)}`);
  }

  static alloc(length: number, fill = 0): Buffer {
    const bytes = new Buffer(length);
    return fill === 0 ? bytes : bytes.fill(fill);
  }

  static allocUnsafe(length: number): Buffer {
    return new Buffer(length);
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = new Buffer(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string): number {
    return system.encode(text).byteLength;
  }

  get #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.byteLength);
  }

  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    if (encoding === 'hex') return Array.from(this.subarray(start, end), (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (encoding === 'base64') return base64(this.subarray(start, end));
    const form = forms[encoding];
    if (form === undefined) throw new TypeError(`Buffer.toString: ${encoding}`);
    const first = Math.min(start, this.length);
    return system.decode(this.buffer, this.byteOffset + first, Math.max(0, Math.min(end, this.length) - first), form);
  }

  /** The number of bytes; `at` may be left out before the encoding. */
  write(text: string, at: number | string = 0, encoding = typeof at === 'string' ? at : 'utf8'): number {
    const bytes = Buffer.from(text, encoding);
    this.set(bytes, typeof at === 'string' ? 0 : at);
    return bytes.length;
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, index) => byte === other[index]);
  }

  copy(target: Uint8Array, at = 0): number {
    target.set(this, at);
    return this.length;
  }

  readUInt8(at = 0): number {
    return this.#view.getUint8(at);
  }
  readUInt16LE(at = 0): number {
    return this.#view.getUint16(at, true);
  }
  readUInt32LE(at = 0): number {
    return this.#view.getUint32(at, true);
  }
  readUInt32BE(at = 0): number {
    return this.#view.getUint32(at);
  }
  readInt32LE(at = 0): number {
    return this.#view.getInt32(at, true);
  }
  readBigUInt64LE(at = 0): bigint {
    return this.#view.getBigUint64(at, true);
  }
  readBigInt64LE(at = 0): bigint {
    return this.#view.getBigInt64(at, true);
  }

  writeUInt8(value: number, at = 0): number {
    this.#view.setUint8(at, value);
    return at + 1;
  }
  writeUInt16LE(value: number, at = 0): number {
    this.#view.setUint16(at, value, true);
    return at + 2;
  }
  writeUInt16BE(value: number, at = 0): number {
    this.#view.setUint16(at, value);
    return at + 2;
  }
  writeInt16LE(value: number, at = 0): number {
    this.#view.setInt16(at, value, true);
    return at + 2;
  }
  writeUInt32LE(value: number, at = 0): number {
    this.#view.setUint32(at, value, true);
    return at + 4;
  }
  writeUInt32BE(value: number, at = 0): number {
    this.#view.setUint32(at, value);
    return at + 4;
  }
  writeInt32LE(value: number, at = 0): number {
    this.#view.setInt32(at, value, true);
    return at + 4;
  }
  writeInt32BE(value: number, at = 0): number {
    this.#view.setInt32(at, value);
    return at + 4;
  }
  writeBigUInt64LE(value: bigint, at = 0): number {
    this.#view.setBigUint64(at, value, true);
    return at + 8;
  }
  writeBigInt64LE(value: bigint, at = 0): number {
    this.#view.setBigInt64(at, value, true);
    return at + 8;
  }
}

const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => base64Digits[(group >> shift) & 63]);
    text += digits
      .join('')
      .slice(0, bytes.length - at + 1)
      .padEnd(4, '=');
  }
  return text;
}
