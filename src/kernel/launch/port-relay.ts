import { codeOfErrno, StrakeError } from '../../base/index.ts';
import { encodeProgram, type Op } from '../program/index.ts';
import type { LaunchOptions } from './connection.ts';
import { deadlines, within } from './deadline.ts';
import { errnoName, errnoText } from './errno.ts';
import { programFailure } from './failure.ts';
import type { FrameSocket } from './frame-socket.ts';
import { type Frame, frameTypes } from './frames.ts';
import { decodeReply, decodeReport, type Report } from './records.ts';

const maxPieceBytes = 64 << 10;
/** What waits for a slow reader before strake-init is held back. */
const maxHeldBytes = 256 << 10;

/** A connection to a port of a network namespace, which a process there carries (operation `relay_port`). */
export class PortRelay {
  readonly #frames: FrameSocket;
  readonly #begun = Promise.withResolvers<Report>();
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(frames: FrameSocket) {
    this.#frames = frames;
    this.#begun.promise.catch(() => undefined);
    frames.onFrame = (frame) => this.#receive(frame);
    frames.onEnd = () => this.#finish(new StrakeError('Unavailable', 'the relay of the port ended', { fields: { layer: 'kernel' } }));
  }

  /** Sends the program that ends in `relay_port`; resolves once the port has answered. Aborting, then or later, closes the connection. */
  async begin(operations: readonly Op[], options: LaunchOptions = {}): Promise<void> {
    const { signal, timeoutMs = deadlines.launch } = options;
    try {
      signal?.throwIfAborted();
      await this.#frames.send(frameTypes.program, encodeProgram(operations));
      const report = await within(this.#begun.promise, { what: 'the report of the port', timeoutMs, signal });
      if (report.failedIndex !== undefined) throw programFailure(report, operations);
    } catch (error) {
      this.close();
      throw error;
    }
    signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  /** What the port says, to its end. Throws Unavailable when the connection breaks: `errno` says how. */
  async *output(): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#held.shift();
      if (piece !== undefined) {
        this.#heldBytes -= piece.length;
        if (this.#heldBytes < maxHeldBytes) this.#frames.resume();
        yield piece;
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }

  /** Resolves when there is room for more. */
  async write(data: Uint8Array): Promise<void> {
    for (let start = 0; start < data.length; start += maxPieceBytes) await this.#frames.send(frameTypes.stdin, data.subarray(start, start + maxPieceBytes));
  }

  /** Half-closes: the port sees the end. */
  async end(): Promise<void> {
    await this.#frames.send(frameTypes.stdinEof);
  }

  close(): void {
    this.#frames.close();
    this.#finish();
  }

  #receive({ type, payload }: Frame): void {
    if (type === frameTypes.report) this.#begun.resolve(decodeReport(payload));
    else if (type === frameTypes.stdout && payload.length === 0) this.#finish();
    else if (type === frameTypes.stdout) this.#hold(Buffer.from(payload));
    else if (type === frameTypes.reply) this.#finish(brokenPort(decodeReply(payload).errno));
  }

  #hold(piece: Buffer): void {
    if (this.#end !== undefined) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes >= maxHeldBytes) this.#frames.pause();
    this.#wake?.();
  }

  #finish(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#begun.reject(error ?? new StrakeError('Canceled', 'the relay of the port was closed', { fields: { layer: 'kernel' } }));
    this.#wake?.();
  }
}

function brokenPort(errno: number): StrakeError {
  const name = errnoName(errno);
  return new StrakeError(codeOfErrno(name), `the port broke the connection: ${errnoText(errno)}`, { fields: { layer: 'kernel', errno: name } });
}
