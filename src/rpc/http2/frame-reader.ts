import { ConnectionError, Http2Code } from './errors.ts';
import { defaultFrameBytes, type Frame, frameHeaderBytes } from './frames.ts';

/** Cuts what arrives into frames. Payloads are views of what arrived. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole with `chunk`. Throws a ConnectionError for one that is larger than we allow. */
  *push(chunk: Buffer): Generator<Frame> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (buffer.length >= frameHeaderBytes) {
      const length = buffer.readUIntBE(0, 3);
      if (length > defaultFrameBytes) throw new ConnectionError(Http2Code.frameSizeError, `a frame of ${length} bytes`);
      if (buffer.length < frameHeaderBytes + length) break;
      yield {
        type: buffer[3] ?? 0,
        flags: buffer[4] ?? 0,
        // The first bit is reserved.
        streamId: buffer.readUInt32BE(5) & 0x7fff_ffff,
        payload: buffer.subarray(frameHeaderBytes, frameHeaderBytes + length),
      };
      buffer = buffer.subarray(frameHeaderBytes + length);
    }
    this.#rest = buffer;
  }
}
