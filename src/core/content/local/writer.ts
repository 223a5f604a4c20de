import { type FileHandle, open } from 'node:fs/promises';
import { errorCode, errorMessage, StrakeError } from '../../../base/index.ts';
import { type DigestAlgorithm, Digester, parseDigest } from '../../../oci/index.ts';
import type { BlobInfo, ContentWriter } from '../content.ts';
import { readFileChunks } from './read-file.ts';

export interface WrittenBlob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** What the store does for its writers. */
export interface WriterHost {
  /** Publishes the ingest as `digest` and records it; `sync` brings its bytes to the disk. */
  publish(blob: WrittenBlob, sync: () => Promise<void>): Promise<BlobInfo>;
  /** Forgets the ingest and its file. */
  discard(): Promise<void>;
  release(): void;
}

export interface WriterStart {
  readonly ref: string;
  readonly file: string;
  readonly algorithm: DigestAlgorithm;
  readonly expectedDigest: string | undefined;
  readonly expectedSizeBytes: number | undefined;
  readonly keepsRefused: boolean;
  readonly host: WriterHost;
}

/** With so much written the disk begins to take it, so that little is left for the sync at the end. Each such step is a sync of its own: smaller ones cost more than they save. */
const flushBytes = 32 << 20;

/** Appends to an ingest file and hashes on the way. */
export class LocalWriter implements ContentWriter {
  readonly ref: string;
  readonly #start: WriterStart;
  readonly #handle: FileHandle;
  #digester: Digester;
  #state: 'open' | 'done' = 'open';
  #flushedBytes = 0;
  /** Never rejects. */
  #flush: Promise<void> | undefined;
  /** For the commit: the kernel tells of a failed write-back once. */
  #flushError: unknown;

  private constructor(start: WriterStart, handle: FileHandle, digester: Digester) {
    this.ref = start.ref;
    this.#start = start;
    this.#handle = handle;
    this.#digester = digester;
  }

  /** Opens the ingest file; what an interrupted writer left in it is hashed again. */
  static async open(start: WriterStart): Promise<LocalWriter> {
    const handle = await open(start.file, 'a', 0o600);
    try {
      const digester = new Digester(start.algorithm);
      for await (const chunk of readFileChunks(start.file)) digester.update(chunk);
      return new LocalWriter(start, handle, digester);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get offsetBytes(): number {
    return this.#digester.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen();
    const { expectedSizeBytes, keepsRefused } = this.#start;
    if (!keepsRefused && expectedSizeBytes !== undefined && this.offsetBytes + chunk.length > expectedSizeBytes) {
      await this.#discard();
      throw this.#mismatch(`${this.#name}: more than the ${expectedSizeBytes} bytes expected`);
    }
    this.#digester.update(chunk);
    try {
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(chunk, written, chunk.length - written);
        written += bytesWritten;
      }
      this.#flushAhead();
    } catch (cause) {
      // The digest is ahead of the file now. What was written takes room, which may be what is missing.
      await this.#discard();
      const errno = (cause as NodeJS.ErrnoException).code ?? '';
      throw new StrakeError(errorCode(cause), `${this.#name}: cannot be stored: ${errno === 'ENOSPC' ? 'no space left on device' : errorMessage(cause)}`, {
        cause,
        fields: { layer: 'core', errno, permanent: true },
      });
    }
  }

  digest(): string {
    return this.#digester.soFar();
  }

  async truncate(): Promise<void> {
    this.#assertOpen();
    await this.#handle.truncate(0);
    this.#digester = new Digester(this.#start.algorithm);
    this.#flushedBytes = 0;
  }

  async commit(options: { readonly sizeBytes?: number; readonly digest?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<BlobInfo> {
    this.#assertOpen();
    const sizeBytes = options.sizeBytes ?? this.#start.expectedSizeBytes;
    const wanted = options.digest ?? this.#start.expectedDigest;
    const size = this.offsetBytes;
    if (sizeBytes !== undefined && sizeBytes !== size) {
      await this.#refuse();
      throw this.#mismatch(`${JSON.stringify(this.ref)} failed size validation: ${size} != ${sizeBytes}`);
    }
    const digest = await this.#finalDigest(wanted);
    if (wanted !== undefined && wanted !== digest) {
      await this.#refuse();
      throw this.#mismatch(`unexpected commit digest ${digest}, expected ${wanted}`);
    }
    const info = await this.#start.host.publish({ digest, sizeBytes: size, labels: options.labels }, async () => await this.#sync());
    await this.#end();
    return info;
  }

  async close(): Promise<void> {
    if (this.#state === 'open') await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #flushAhead(): void {
    if (this.#flush !== undefined || this.offsetBytes - this.#flushedBytes < flushBytes) return;
    this.#flushedBytes = this.offsetBytes;
    this.#flush = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#flushError = error;
      })
      .finally(() => {
        this.#flush = undefined;
      });
  }

  async #sync(): Promise<void> {
    await this.#flush;
    if (this.#flushError !== undefined) throw this.#flushError;
    await this.#handle.sync();
  }

  /** In the algorithm that the caller speaks: another one than was guessed at the start costs a second pass. */
  async #finalDigest(wanted: string | undefined): Promise<string> {
    const algorithm = wanted === undefined ? this.#start.algorithm : parseDigest(wanted).algorithm;
    if (algorithm === this.#start.algorithm) return this.#digester.digest();
    const digester = new Digester(algorithm);
    for await (const chunk of readFileChunks(this.#start.file)) digester.update(chunk);
    return digester.digest();
  }

  async #refuse(): Promise<void> {
    await (this.#start.keepsRefused ? this.#end() : this.#discard());
  }

  async #discard(): Promise<void> {
    await this.#start.host.discard();
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#state = 'done';
    this.#start.host.release();
    await this.#flush;
    await this.#handle.close();
  }

  #assertOpen(): void {
    if (this.#state === 'done') throw new StrakeError('FailedPrecondition', `ingest ${this.ref}: the writer is closed`, { fields: { layer: 'core' } });
  }

  #mismatch(problem: string): StrakeError {
    return new StrakeError('FailedPrecondition', problem, { fields: { layer: 'core' } });
  }

  get #name(): string {
    return this.#start.expectedDigest ?? `ingest ${this.ref}`;
  }
}
