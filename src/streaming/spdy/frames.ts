/** Frames of SPDY/3.1 (draft 3.1, section 2): eight bytes of header, the first bit tells control from data. */
import { protocolError } from '../protocol-error.ts';

export const ControlType = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goaway: 7, headers: 8, windowUpdate: 9 } as const;
/** Of a data frame, SYN_STREAM, SYN_REPLY and HEADERS: the sender's last. */
export const finFlag = 1;
export const ResetCode = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

const version = 3;
const headerBytes = 8;
/** Of a control frame that we take: no header block of ours comes near. */
const maxControlBytes = 64 * 1024;

/** Data comes in the pieces in which it arrives: a frame may have 16 MiB. */
export type FrameEvent =
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly payload: Buffer }
  | { readonly kind: 'data'; readonly streamId: number; readonly bytes: Buffer; readonly fin: boolean };

export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  *push(chunk: Buffer): Generator<FrameEvent> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#data !== undefined) {
        const { streamId, fin, left } = this.#data;
        const bytes = buffer.subarray(0, left);
        if (bytes.length === 0 && left > 0) break;
        buffer = buffer.subarray(bytes.length);
        this.#data = bytes.length < left ? { streamId, fin, left: left - bytes.length } : undefined;
        yield { kind: 'data', streamId, bytes, fin: fin && this.#data === undefined };
        continue;
      }
      if (buffer.length < headerBytes) break;
      const [first, flags, length] = [buffer.readUInt32BE(0), buffer[4] ?? 0, buffer.readUIntBE(5, 3)];
      if (first < 0x8000_0000) {
        this.#data = { streamId: first, fin: (flags & finFlag) !== 0, left: length };
        buffer = buffer.subarray(headerBytes);
        continue;
      }
      if (((first >>> 16) & 0x7fff) !== version) throw protocolError('a frame of another version of SPDY');
      if (length > maxControlBytes) throw protocolError(`a control frame of ${length} bytes`);
      if (buffer.length < headerBytes + length) break;
      yield { kind: 'control', type: first & 0xffff, flags, payload: buffer.subarray(headerBytes, headerBytes + length) };
      buffer = buffer.subarray(headerBytes + length);
    }
    this.#rest = buffer;
  }
}

export function controlFrame(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(((0x8000 | version) * 0x10000 + type) >>> 0, 0);
  header.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return Buffer.concat([header, ...parts]);
}

export function dataHeader(streamId: number, flags: number, length: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(streamId, 0);
  header.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return header;
}

export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}
