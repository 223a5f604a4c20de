import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { StrakeError } from '../../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import type { Exchange } from './exchange.ts';
import { endAfterWrites, writeWithPressure } from './write.ts';

/** How long a client may keep its half open after we have ended ours. */
const lingerMs = 10_000;

/** A request with `Connection: Upgrade`. The HTTP server has let go of its socket, so every reply is written here. */
export class UpgradeExchange implements Exchange {
  private readonly request: IncomingMessage;
  private readonly socket: Duplex;
  private readonly reader: ByteReader;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly gone = new AbortController();
  private answered = false;

  constructor(request: IncomingMessage, socket: Duplex, head: Uint8Array, headers: Readonly<Record<string, string>>) {
    this.request = request;
    this.socket = socket;
    this.headers = headers;
    this.reader = new ByteReader(socket, head);
    socket.on('error', () => this.gone.abort());
    socket.on('close', () => this.gone.abort());
  }

  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** Bun hands the body over as the request's, Node up to 24 as the socket's first bytes. */
  async *body(): AsyncGenerator<Uint8Array> {
    if (this.request.headers['transfer-encoding'] !== undefined)
      throw new StrakeError('InvalidArgument', 'a request that asks to be upgraded must tell the Content-Length of its body');
    let missing = Number(this.request.headers['content-length'] ?? 0);
    if (!Number.isSafeInteger(missing) || missing < 0) throw new StrakeError('InvalidArgument', 'invalid Content-Length header');
    if (missing === 0) return;
    for await (const chunk of this.request as AsyncIterable<Uint8Array>) {
      missing -= chunk.length;
      yield chunk;
    }
    while (missing > 0) {
      const chunk = await this.reader.take(Math.min(missing, 64 << 10));
      if (chunk.length === 0) throw new StrakeError('InvalidArgument', 'the request ended before its body');
      missing -= chunk.length;
      yield chunk;
    }
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.writeHead(`${status} ${STATUS_CODES[status] ?? ''}`, { ...this.headers, ...headers, Connection: 'close' });
  }

  async write(data: Uint8Array | string): Promise<void> {
    await writeWithPressure(this.socket, data, this.gone.signal);
  }

  async end(): Promise<void> {
    await endAfterWrites(this.socket, this.gone.signal);
    if (this.socket.destroyed) return;
    // Closing with unread bytes would reset the connection and could cost the client the end of its output; so read on until it closes.
    this.reader.discard();
    const timer = setTimeout(() => this.socket.destroy(), lingerMs);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.socket.destroy();
  }

  async takeOver(contentType: string): Promise<void> {
    this.writeHead('101 UPGRADED', { 'Content-Type': contentType, Connection: 'Upgrade', Upgrade: 'tcp', ...this.headers });
  }

  input(): AsyncIterable<Uint8Array> {
    return this.reader;
  }

  private writeHead(status: string, headers: Readonly<Record<string, string>>): void {
    if (this.answered) throw new StrakeError('Internal', 'the request was already answered', { fields: { layer: 'engine' } });
    this.answered = true;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`);
    this.socket.write(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`);
  }
}
