import type { Attachment, AttachOptions } from '../tasks.ts';

/** Bytes that may wait for a slow reader before the process is held back, as those of a monitor. */
const highWaterBytes = 1 << 20;

type StreamName = 'stdout' | 'stderr';
interface Piece {
  readonly stream: StreamName;
  readonly data: Uint8Array;
}

export interface RelayInput {
  write(data: Uint8Array): Promise<void>;
  end(): Promise<void>;
  left(): void;
}

/** One client on the streams of a process. */
export class RelayAttachment implements Attachment {
  readonly #options: AttachOptions;
  readonly #input: RelayInput;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #wakeReader: (() => void) | undefined;
  /** What both streams may wait for. */
  #room: PromiseWithResolvers<void> | undefined;
  #state: 'open' | 'ended' | 'closed' = 'open';
  readonly output: AsyncIterable<Piece> = { [Symbol.asyncIterator]: () => this.#iterate() };

  constructor(options: AttachOptions, input: RelayInput) {
    this.#options = options;
    this.#input = input;
  }

  async writeStdin(data: Uint8Array): Promise<void> {
    if (this.#options.stdin) await this.#input.write(data);
  }

  async closeStdin(): Promise<void> {
    if (this.#options.stdin) await this.#input.end();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#queue.length = 0;
    this.#wakeReader?.();
    this.#makeRoom();
    this.#input.left();
  }

  /** Nothing more comes; what waits is still read. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wakeReader?.();
  }

  /** Resolves once there is room for more, or nobody wants any. */
  async offer(stream: StreamName, data: Uint8Array): Promise<void> {
    if (this.#state !== 'open' || !this.#options[stream]) return;
    this.#queue.push({ stream, data });
    this.#queuedBytes += data.length;
    this.#wakeReader?.();
    while (this.#queuedBytes >= highWaterBytes && this.#isOpen()) {
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
    }
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #isOpen(): boolean {
    return this.#state === 'open';
  }

  async *#iterate(): AsyncGenerator<Piece> {
    for (;;) {
      for (let piece = this.#queue.shift(); piece !== undefined; piece = this.#queue.shift()) {
        this.#queuedBytes -= piece.data.length;
        if (this.#queuedBytes < highWaterBytes) this.#makeRoom();
        yield piece;
      }
      if (!this.#isOpen()) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeReader = resolve;
      await promise;
    }
  }
}
