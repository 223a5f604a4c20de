import type { Readable } from 'node:stream';

/** Bytes held while nobody reads; then the source is paused, so the kernel's buffer holds the client back. */
const maxHeldBytes = 256 << 10;

/**
 * Reads a socket without owning it: the end of its readable side (a client's half-close) ends the iteration and leaves the writable
 * side open. A stream's own async iterator destroys the socket when the loop is left.
 */
export class ByteReader implements AsyncIterable<Uint8Array> {
  private readonly source: Readable;
  private readonly chunks: Uint8Array[] = [];
  private heldBytes = 0;
  private ended = false;
  private discarding = false;
  private wake: (() => void) | undefined;

  constructor(source: Readable, head: Uint8Array) {
    this.source = source;
    if (head.length > 0) this.push(head);
    source.on('data', (chunk: Uint8Array) => this.push(chunk));
    for (const event of ['end', 'close', 'error']) source.on(event, () => this.finish());
  }

  /** The next chunk, or undefined at the end. A connection that broke ends too: what was lost shows when it is written to. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.chunks.length === 0 && !this.ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
    const chunk = this.chunks.shift();
    if (chunk === undefined) return undefined;
    this.heldBytes -= chunk.length;
    if (this.heldBytes < maxHeldBytes && this.source.isPaused()) this.source.resume();
    return chunk;
  }

  /** Exactly `sizeBytes` bytes, fewer at the end; what follows them stays. */
  async take(sizeBytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = sizeBytes; missing > 0; ) {
      const chunk = await this.next();
      if (chunk === undefined) break;
      parts.push(chunk.subarray(0, missing));
      if (chunk.length > missing) {
        this.chunks.unshift(chunk.subarray(missing));
        this.heldBytes += chunk.length - missing;
      }
      missing -= Math.min(missing, chunk.length);
    }
    return Buffer.concat(parts);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }

  /** Drops what is held and what still comes. */
  discard(): void {
    this.discarding = true;
    this.chunks.length = 0;
    this.source.resume();
  }

  private push(chunk: Uint8Array): void {
    if (this.discarding) return;
    this.chunks.push(chunk);
    this.heldBytes += chunk.length;
    if (this.heldBytes >= maxHeldBytes) this.source.pause();
    this.wake?.();
  }

  private finish(): void {
    this.ended = true;
    this.wake?.();
  }
}
