import { encodeOperations, operationLength, writeOperation } from '../program/index.ts';
import type { FileOp } from './file-session.ts';
import type { FrameSocket } from './frame-socket.ts';
import { encodeFrame, frameHeaderBytes, frameTypes, writeFrameHeader } from './frames.ts';

/** As long as the pieces that a decompressor gives, with their headers: larger ones gain nothing. */
const frameBytes = 320 << 10;
/** While one is on its way the next is filled. */
const buffers = 2;

/**
 * The FILE_OPS frames of a session. Operations are encoded where they are sent from, in the same few buffers again and again: whole images go through here, and a
 * copy for each step would be garbage faster than it is collected.
 */
export class OperationFrames {
  readonly #socket: Pick<FrameSocket, 'sendFrame'>;
  readonly #free: Buffer[] = [];
  #made = 0;
  #frame: Buffer | undefined;
  #filled = frameHeaderBytes;
  #freed: PromiseWithResolvers<void> | undefined;

  constructor(socket: Pick<FrameSocket, 'sendFrame'>) {
    this.#socket = socket;
  }

  /** One call at a time. What the operations hold has been copied when it resolves, and full frames are on their way. */
  async add(operations: Iterable<FileOp>): Promise<void> {
    for (const operation of operations) {
      const length = operationLength(operation);
      if (this.#filled + length > frameBytes) this.flush();
      if (frameHeaderBytes + length > frameBytes) {
        await this.#socket.sendFrame(encodeFrame(frameTypes.fileOps, encodeOperations([operation])));
        continue;
      }
      this.#frame ??= this.#free.pop() ?? (await this.#make());
      this.#filled = writeOperation(this.#frame, this.#filled, operation);
    }
  }

  /** Sends what has been added. */
  flush(): void {
    const frame = this.#frame;
    if (frame === undefined) return;
    writeFrameHeader(frame, frameTypes.fileOps, this.#filled - frameHeaderBytes);
    const sent = this.#socket.sendFrame(frame.subarray(0, this.#filled));
    this.#frame = undefined;
    this.#filled = frameHeaderBytes;
    void sent.then(() => {
      this.#free.push(frame);
      this.#freed?.resolve();
    });
  }

  async #make(): Promise<Buffer> {
    if (this.#made < buffers) {
      this.#made += 1;
      return Buffer.allocUnsafeSlow(frameBytes);
    }
    for (;;) {
      const free = this.#free.pop();
      if (free !== undefined) return free;
      this.#freed = Promise.withResolvers<void>();
      await this.#freed.promise;
    }
  }
}
