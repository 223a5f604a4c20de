import type { Duplex } from 'node:stream';
import { StrakeError } from '../base/index.ts';
import type { Holder } from './byte-inbox.ts';

/** Answers to pings that a peer lets pile up without reading. */
const maxBacklogBytes = 1024 * 1024;
/** How long a peer may take to read our last words and to close its side. */
const lingerMs = 10_000;

export interface WireOptions {
  readonly socket: Duplex;
  /** What was read of the socket before. */
  readonly received: Buffer;
  /** Without a byte in either direction for so long the connection is cut. */
  readonly idleMs: number;
  /** May throw: that cuts the connection. */
  readonly onData: (chunk: Buffer) => void;
  /** Called once, when nothing can come or go any more. */
  readonly onLost: (reason: Error) => void;
}

export function connectionLost(why: string, cause?: unknown): StrakeError {
  return new StrakeError('Unavailable', why, { cause, fields: { layer: 'streaming' } });
}

/** A socket under a protocol: writes with back-pressure, reads that can be held, an end that loses nothing, and a limit to silence. */
export class Wire implements Holder {
  readonly #options: WireOptions;
  readonly #socket: Duplex;
  readonly #holds = new Set<object>();
  readonly #idle: NodeJS.Timeout;
  #room: PromiseWithResolvers<void> | undefined;
  #state: 'open' | 'ending' | 'lost' = 'open';

  constructor(options: WireOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#idle = setTimeout(() => this.cut(connectionLost(`the connection was idle for ${options.idleMs} ms`)), options.idleMs);
    this.#idle.unref();
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('drain', () => this.#makeRoom());
    this.#socket.on('end', () => this.cut(connectionLost('the peer has closed the connection')));
    this.#socket.on('error', (cause: Error) => this.cut(connectionLost(`the connection failed: ${cause.message}`, cause)));
    this.#socket.on('close', () => this.cut(connectionLost('the connection is closed')));
  }

  /** Call it once the owner is ready for what came with the handshake. */
  start(): void {
    if (this.#options.received.length > 0) this.#receive(this.#options.received);
    if (this.#holds.size === 0) this.#socket.resume();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  hold(owner: object): void {
    this.#holds.add(owner);
    this.#socket.pause();
  }

  release(owner: object): void {
    if (this.#holds.delete(owner) && this.#holds.size === 0) this.#socket.resume();
  }

  /** Of small answers that nobody waits for. */
  send(...parts: readonly Buffer[]): void {
    if (this.#state !== 'open') return;
    if (this.#write(parts)) return;
    if (this.#socket.writableLength > maxBacklogBytes) this.cut(connectionLost('the peer does not read its answers'));
  }

  /** Resolves when there is room for more; rejects once the connection is lost. */
  async write(...parts: readonly Buffer[]): Promise<void> {
    if (this.#state !== 'open') throw connectionLost('the connection is closed');
    if (this.#write(parts)) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
    if (this.#isLost()) throw connectionLost('the connection is closed');
  }

  /** Closes behind what was written. What the peer still sends is read and dropped: closing over unread bytes would cost it the end of our output. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#socket.end();
    this.#socket.resume();
    this.#holds.clear();
    const linger = setTimeout(() => this.#socket.destroy(), lingerMs);
    linger.unref();
    this.#socket.once('close', () => clearTimeout(linger));
    this.#settle(connectionLost('the connection is closed'));
  }

  cut(reason: Error): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'lost';
    this.#socket.destroy();
    if (wasOpen) this.#settle(reason);
  }

  #isLost(): boolean {
    return this.#state === 'lost';
  }

  #settle(reason: Error): void {
    clearTimeout(this.#idle);
    this.#makeRoom();
    this.#options.onLost(reason);
  }

  #write(parts: readonly Buffer[]): boolean {
    this.#idle.refresh();
    return this.#socket.write(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#idle.refresh();
    try {
      this.#options.onData(chunk);
    } catch (error) {
      this.cut(error as Error);
    }
  }
}
