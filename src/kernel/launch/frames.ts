import { StrakeError } from '../../base/index.ts';

/** Frame types of the monitor protocol (docs/CONTRACTS.md, "Connection protocol"). 0–2 are Docker's stream numbers. */
export const frameTypes = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  program: 16,
  report: 17,
  start: 18,
  exit: 19,
  signal: 20,
  resize: 21,
  attach: 22,
  stdinEof: 23,
  reply: 24,
  wait: 25,
  reopenLog: 26,
  handOver: 27,
  oom: 28,
  fileOps: 32,
  data: 33,
} as const;

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export const frameHeaderBytes = 8;
const maxPayloadBytes = 4 << 20;

/** One frame: type, three zero bytes, big-endian length, payload (`parts`, one after the other). */
export function encodeFrame(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = Buffer.allocUnsafe(frameHeaderBytes + length);
  writeFrameHeader(frame, type, length);
  let offset = frameHeaderBytes;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}

/** The first `frameHeaderBytes` of a frame. */
export function writeFrameHeader(frame: Buffer, type: number, payloadBytes: number): void {
  frame.writeUInt32BE((type << 24) >>> 0, 0);
  frame.writeUInt32BE(payloadBytes, 4);
}

/** Cuts a byte stream into frames. Payloads may share memory with the chunks given. */
export class FrameParser {
  private pending: Buffer[] = [];
  private size = 0;

  /** The frames that `chunk` completes. DataLoss for a frame over 4 MiB. */
  *push(chunk: Uint8Array): Generator<Frame> {
    this.pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.size += chunk.length;
    for (;;) {
      if (this.size < frameHeaderBytes) return;
      const head = this.joinFirst(frameHeaderBytes);
      const length = head.readUInt32BE(4);
      if (length > maxPayloadBytes)
        throw new StrakeError('DataLoss', `a frame of ${length} bytes came from strake-init, at most ${maxPayloadBytes} are possible`, {
          fields: { layer: 'kernel' },
        });
      if (this.size < frameHeaderBytes + length) return;
      const frame = this.joinFirst(frameHeaderBytes + length);
      this.pending[0] = frame.subarray(frameHeaderBytes + length);
      this.size -= frameHeaderBytes + length;
      if (this.pending[0].length === 0) this.pending.shift();
      yield { type: frame[0] ?? 0, payload: frame.subarray(frameHeaderBytes, frameHeaderBytes + length) };
    }
  }

  /** Makes the first pending buffer at least `length` long. */
  private joinFirst(length: number): Buffer {
    const first = this.pending[0];
    if (first && first.length >= length) return first;
    const joined = Buffer.concat(this.pending);
    this.pending = [joined];
    return joined;
  }
}
