import { StrakeError } from '../../../base/index.ts';
import type { BlobInfo, ContentWriter } from '../content.ts';

/** What the store does for a writer of a blob that another namespace has. */
export interface SharedHost {
  /** Records the blob in this namespace too. */
  adopt(labels: Readonly<Record<string, string>> | undefined): Promise<BlobInfo>;
  /** A writer of an ingest of one's own, for who wants to write all the same. */
  unshare(): Promise<ContentWriter>;
  release(): void;
}

/** All bytes are there already: a commit is all that is left to do. */
export class SharedWriter implements ContentWriter {
  readonly ref: string;
  readonly #blob: { readonly digest: string; readonly sizeBytes: number };
  readonly #host: SharedHost;
  #state: 'open' | 'done' = 'open';
  #own: ContentWriter | undefined;

  constructor(ref: string, blob: { readonly digest: string; readonly sizeBytes: number }, host: SharedHost) {
    this.ref = ref;
    this.#blob = blob;
    this.#host = host;
  }

  get offsetBytes(): number {
    return this.#own?.offsetBytes ?? this.#blob.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#own !== undefined) return await this.#own.write(chunk);
    this.#assertOpen();
    if (chunk.length > 0) throw this.#mismatch(`${this.#blob.digest}: more than the ${this.#blob.sizeBytes} bytes expected`);
  }

  digest(): string {
    return this.#own?.digest() ?? this.#blob.digest;
  }

  async truncate(): Promise<void> {
    if (this.#own === undefined) {
      this.#assertOpen();
      this.#own = await this.#host.unshare();
    }
    await this.#own.truncate();
  }

  async commit(options: { readonly sizeBytes?: number; readonly digest?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<BlobInfo> {
    if (this.#own !== undefined) return await this.#own.commit(options);
    this.#assertOpen();
    const { digest, sizeBytes } = this.#blob;
    if (options.sizeBytes !== undefined && options.sizeBytes !== sizeBytes)
      throw this.#mismatch(`${JSON.stringify(this.ref)} failed size validation: ${sizeBytes} != ${options.sizeBytes}`);
    if (options.digest !== undefined && options.digest !== digest) throw this.#mismatch(`unexpected commit digest ${digest}, expected ${options.digest}`);
    const info = await this.#host.adopt(options.labels);
    this.#end();
    return info;
  }

  async close(): Promise<void> {
    if (this.#own !== undefined) await this.#own.close();
    else if (this.#state === 'open') this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#state = 'done';
    this.#host.release();
  }

  #assertOpen(): void {
    if (this.#state === 'done') throw new StrakeError('FailedPrecondition', `ingest ${this.ref}: the writer is closed`, { fields: { layer: 'core' } });
  }

  #mismatch(problem: string): StrakeError {
    return new StrakeError('FailedPrecondition', problem, { fields: { layer: 'core' } });
  }
}
