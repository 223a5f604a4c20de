import { StrakeError } from '../../base/index.ts';

/** What a frame is; github.com/containerd/ttrpc PROTOCOL.md. Others are to be ignored. */
export const messageTypes = { request: 1, response: 2, data: 3 } as const;

/** Bits of a frame's flags. `remoteOpen`: a request whose caller sends more. `remoteClosed`: the sender sends no more. `noData`: a data frame without a message, not an empty one. */
export const frameFlags = { remoteClosed: 1, remoteOpen: 2, noData: 4 } as const;

/** Of one message, as every implementation has it. */
export const maxMessageBytes = 4 << 20;

const headerBytes = 10;
const noPayload = Buffer.alloc(0);

export interface Frame {
  readonly kind: 'frame';
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** A frame whose message was longer than `maxMessageBytes`: it was read past, the connection goes on. */
export interface OversizedFrame {
  readonly kind: 'oversized';
  readonly streamId: number;
  readonly type: number;
  readonly lengthBytes: number;
}

/** ResourceExhausted for a message that no peer would take. */
export function encodeFrame({ streamId, type, flags, payload }: Pick<Frame, 'streamId' | 'type' | 'flags'> & { readonly payload: Uint8Array }): Buffer {
  if (payload.length > maxMessageBytes) throw messageTooLong(payload.length);
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(streamId, 4);
  frame[8] = type;
  frame[9] = flags;
  frame.set(payload, headerBytes);
  return frame;
}

export function messageTooLong(lengthBytes: number): StrakeError {
  return new StrakeError('ResourceExhausted', `message of ${lengthBytes} bytes is longer than ${maxMessageBytes}`, { fields: { layer: 'ttrpc' } });
}

type Header = Pick<Frame, 'streamId' | 'type' | 'flags'> & { readonly lengthBytes: number };

/** Frames of a stream of bytes in pieces. Never holds more than one message and what came with it. */
export class FrameParser {
  private readonly parts: Buffer[] = [];
  private bufferedBytes = 0;
  private header: Header | undefined;
  /** of an oversized message, still to come */
  private skipBytes = 0;

  *push(chunk: Buffer): Generator<Frame | OversizedFrame> {
    this.parts.push(chunk);
    this.bufferedBytes += chunk.length;
    for (;;) {
      if (this.skipBytes > 0) {
        const skipped = Math.min(this.skipBytes, this.bufferedBytes);
        this.take(skipped);
        this.skipBytes -= skipped;
        if (this.skipBytes > 0) return;
      }
      if (this.header === undefined) {
        if (this.bufferedBytes < headerBytes) return;
        const bytes = this.take(headerBytes);
        const header = { lengthBytes: bytes.readUInt32BE(0), streamId: bytes.readUInt32BE(4), type: bytes.readUInt8(8), flags: bytes.readUInt8(9) };
        if (header.lengthBytes > maxMessageBytes) {
          this.skipBytes = header.lengthBytes;
          yield { kind: 'oversized', streamId: header.streamId, type: header.type, lengthBytes: header.lengthBytes };
          continue;
        }
        this.header = header;
      }
      if (this.bufferedBytes < this.header.lengthBytes) return;
      const { streamId, type, flags, lengthBytes } = this.header;
      this.header = undefined;
      yield { kind: 'frame', streamId, type, flags, payload: this.take(lengthBytes) };
    }
  }

  /** The next `size` bytes, which are there. */
  private take(size: number): Buffer {
    this.bufferedBytes -= size;
    const first = this.parts[0];
    if (size === 0 || first === undefined) return noPayload;
    if (first.length > size) {
      this.parts[0] = first.subarray(size);
      return first.subarray(0, size);
    }
    const taken: Buffer[] = [];
    let missing = size;
    while (missing > 0) {
      const part = this.parts.shift();
      if (part === undefined) break;
      if (part.length > missing) this.parts.unshift(part.subarray(missing));
      taken.push(part.length > missing ? part.subarray(0, missing) : part);
      missing -= Math.min(part.length, missing);
    }
    const [only] = taken;
    return taken.length === 1 && only !== undefined ? only : Buffer.concat(taken, size);
  }
}
