import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Logger } from '../../../base/index.ts';

/** Of one line. */
const maxLineLength = 4_096;

/** Passes the lines that a shim writes into its FIFO on to our log, until `close`. The shim is never held up or ended by a FIFO without a reader as long as we live. */
export class ShimLog implements Disposable {
  private readonly log: Logger;
  private readonly fd: number;
  private readonly stop: () => void;
  private partial = '';

  constructor(fifo: string, log: Logger) {
    this.log = log;
    // For writing too: then there is always a writer, and no end to wait for.
    this.fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    this.stop = readPipe(this.fd, (chunk) => this.receive(chunk));
  }

  close(): void {
    this.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private receive(chunk: Uint8Array): void {
    const lines = (this.partial + Buffer.from(chunk).toString()).split('\n');
    this.partial = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) if (line !== '') this.log.info('shim says', { line: line.slice(0, maxLineLength) });
  }
}

/** Bun's net.Socket does not take the descriptor of a FIFO, and its fs streams do not wait for one (docs/decisions/0003-bun-only-calls.md). */
function readPipe(fd: number, onChunk: (chunk: Uint8Array) => void): () => void {
  if (typeof Bun === 'undefined') {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', onChunk);
    socket.on('error', () => undefined);
    return () => socket.destroy();
  }
  const reader = Bun.file(fd).stream().getReader();
  let isOpen = true;
  const read = async () => {
    while (isOpen) {
      const { value, done } = await reader.read();
      if (done) return;
      onChunk(value);
    }
  };
  const reading = read().catch(() => undefined);
  return () => {
    if (!isOpen) return;
    isOpen = false;
    void reader
      .cancel()
      .catch(() => undefined)
      .then(() => reading)
      .then(() => closeSync(fd));
  };
}
