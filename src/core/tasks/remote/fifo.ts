/**
 * FIFOs without a thread that waits in them. Under Bun by its files, whose streams wait for the kernel's events (docs/decisions/0003-bun-only-calls.md); under Node,
 * where node:net takes a descriptor of a FIFO, by that.
 */
import { closeSync, constants, openSync } from 'node:fs';

/** What comes out, until its last writer has left and `close`. Opened before anybody writes, so that nothing is missed. */
export class FifoReader {
  readonly #path: string;
  readonly #fd: number;
  readonly #closed = new AbortController();

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of streamOf(this.#fd, this.#closed.signal)) yield chunk;
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }

  /** Who opened it when its last writer had left already hears of no end: a writer that comes and goes tells it. Nothing happens while there is another. */
  endUnwritten(): void {
    closeQuietly(openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK));
  }

  /** Ends the iteration. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
  }
}

async function* streamOf(fd: number, closed: AbortSignal): AsyncGenerator<Uint8Array> {
  if (typeof Bun !== 'undefined') {
    const reader = Bun.file(fd).stream().getReader();
    const stop = () => void reader.cancel().catch(() => undefined);
    closed.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || closed.aborted) return;
        yield value;
      }
    } finally {
      closed.removeEventListener('abort', stop);
      stop();
      closeQuietly(fd);
    }
  }
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd, readable: true, writable: false, signal: closed });
  yield* socket;
}

interface Sink {
  write(data: Uint8Array): unknown;
  flush(): unknown;
  end(): unknown;
}

/** Where a process reads its stdin from. There must be a reader: ENXIO otherwise. */
export class FifoWriter {
  readonly #fd: number;
  readonly #sink: Sink;
  #last: Promise<void> = Promise.resolve();

  private constructor(fd: number, sink: Sink) {
    this.#fd = fd;
    this.#sink = sink;
  }

  static async open(path: string): Promise<FifoWriter> {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    if (typeof Bun !== 'undefined') return new FifoWriter(fd, Bun.file(fd).writer({ highWaterMark: 1 }));
    const { Socket } = await import('node:net');
    const socket = new Socket({ fd, readable: false, writable: true });
    return new FifoWriter(fd, {
      write: async (data) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        socket.write(data, (error) => (error ? reject(error) : resolve()));
        await promise;
      },
      flush: () => undefined,
      end: () => socket.destroy(),
    });
  }

  /** In the order of the calls; resolves when the FIFO has taken all of it. */
  async write(data: Uint8Array): Promise<void> {
    const written = this.#last.then(async () => {
      await this.#sink.write(data);
      await this.#sink.flush();
    });
    this.#last = written.catch(() => undefined);
    await written;
  }

  /** After what was written so far. */
  async close(): Promise<void> {
    await this.#last;
    await this.#sink.end();
    closeQuietly(this.#fd);
  }
}

/** The runtime's own close may have been first. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It is closed, which is what was wanted.
  }
}
