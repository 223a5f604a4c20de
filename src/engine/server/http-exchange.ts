import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';
import { rawStream } from './hijack.ts';
import { endAfterWrites, writeWithPressure } from './write.ts';

export class HttpExchange implements Exchange {
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  /** The client does not wait any more: for what goes on without end (events, pull). */
  private readonly left = new AbortController();
  /** Nothing can be written any more. */
  private readonly closed = new AbortController();
  private takenOver = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const { socket } = request;
    const halfClosed = () => {
      if (!this.takenOver) this.left.abort();
    };
    socket.on('end', halfClosed);
    response.on('close', () => {
      socket.off('end', halfClosed);
      if (response.writableFinished) return;
      this.left.abort();
      this.closed.abort();
    });
  }

  get signal(): AbortSignal {
    return this.left.signal;
  }

  body(): AsyncIterable<Uint8Array> {
    return this.request;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(status, headers);
    this.response.flushHeaders();
  }

  async write(data: Uint8Array | string): Promise<void> {
    await writeWithPressure(this.response, data, this.closed.signal);
  }

  async end(): Promise<void> {
    await endAfterWrites(this.response, this.closed.signal);
  }

  destroy(): void {
    this.response.destroy();
  }

  async takeOver(): Promise<void> {
    this.takenOver = true;
    // Raw bytes up to the end of the connection: neither a length nor chunks, as before `Upgrade` was known.
    this.response.useChunkedEncodingByDefault = false;
    this.response.shouldKeepAlive = false;
    this.head(200, { 'Content-Type': rawStream, Connection: 'close' });
  }

  input(): AsyncIterable<Uint8Array> {
    return this.request;
  }
}
