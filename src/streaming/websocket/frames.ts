/** Frames of WebSocket (RFC 6455, section 5). */
import { protocolError } from '../protocol-error.ts';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const finBit = 0x80;
const maskBit = 0x80;
const maxControlBytes = 125;
/** Of one frame that we take; it comes in pieces, so none of it is held. */
const maxFrameBytes = 32 * 1024 * 1024;

/** Of a data frame, a piece as it arrives; a control frame comes whole. */
export interface FramePiece {
  readonly opcode: number;
  readonly bytes: Buffer;
  readonly startsFrame: boolean;
  /** The last piece of the last frame of its message. */
  readonly endsMessage: boolean;
}

interface Header {
  readonly opcode: number;
  readonly fin: boolean;
  readonly mask: Buffer | undefined;
  readonly headerBytes: number;
  readonly length: number;
}

export class FrameReader {
  readonly #isMasked: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #data: { readonly header: Header; done: number } | undefined;

  /** Frames of a client are masked, those of a server are not. */
  constructor({ isMasked }: { readonly isMasked: boolean }) {
    this.#isMasked = isMasked;
  }

  *push(chunk: Buffer): Generator<FramePiece> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#data !== undefined) {
        const { header, done } = this.#data;
        const left = header.length - done;
        const bytes = buffer.subarray(0, left);
        if (bytes.length === 0 && left > 0) break;
        buffer = buffer.subarray(bytes.length);
        const isWhole = bytes.length === left;
        this.#data = isWhole ? undefined : { header, done: done + bytes.length };
        yield { opcode: header.opcode, bytes: unmasked(bytes, header.mask, done), startsFrame: done === 0, endsMessage: header.fin && isWhole };
        continue;
      }
      const header = this.#readHeader(buffer);
      if (header === undefined) break;
      if (header.opcode < Opcode.close) {
        this.#data = { header, done: 0 };
        buffer = buffer.subarray(header.headerBytes);
        continue;
      }
      const end = header.headerBytes + header.length;
      if (buffer.length < end) break;
      yield { opcode: header.opcode, bytes: unmasked(buffer.subarray(header.headerBytes, end), header.mask, 0), startsFrame: true, endsMessage: true };
      buffer = buffer.subarray(end);
    }
    this.#rest = buffer;
  }

  #readHeader(buffer: Buffer): Header | undefined {
    if (buffer.length < 2) return undefined;
    const [first = 0, second = 0] = buffer;
    const [opcode, fin, short] = [first & 15, (first & finBit) !== 0, second & 0x7f];
    if ((first & 0x70) !== 0) throw protocolError('a WebSocket frame with reserved bits');
    if (!Object.values<number>(Opcode).includes(opcode)) throw protocolError(`a WebSocket frame of the unknown kind ${opcode}`);
    if (((second & maskBit) !== 0) !== this.#isMasked) throw protocolError(`a WebSocket frame that is ${this.#isMasked ? 'not ' : ''}masked`);
    if (opcode >= Opcode.close && (!fin || short > maxControlBytes)) throw protocolError('a WebSocket control frame that is long or in parts');
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const headerBytes = 2 + lengthBytes + (this.#isMasked ? 4 : 0);
    if (buffer.length < headerBytes) return undefined;
    const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    if (length > maxFrameBytes) throw protocolError(`a WebSocket frame of ${length} bytes`);
    const mask = this.#isMasked ? Buffer.from(buffer.subarray(headerBytes - 4, headerBytes)) : undefined;
    return { opcode, fin, mask, headerBytes, length };
  }
}

/** `offset`: of these bytes in their frame. */
function unmasked(bytes: Buffer, mask: Buffer | undefined, offset: number): Buffer {
  if (mask === undefined) return bytes;
  const clear = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at++) clear[at] = (bytes[at] ?? 0) ^ (mask[(offset + at) & 3] ?? 0);
  return clear;
}

/** A whole message in one frame; a client's with its mask. */
export function messageFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = finBit | opcode;
  header[1] = (mask === undefined ? 0 : maskBit) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return mask === undefined ? Buffer.concat([header, payload]) : Buffer.concat([header, mask, unmasked(payload, mask, 0)]);
}
