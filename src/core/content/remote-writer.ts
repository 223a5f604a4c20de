import type { MessageInitShape } from '@bufbuild/protobuf';
import { content } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { Client } from '../../rpc/grpc/index.ts';
import { MessageQueue } from '../wire/message-queue.ts';
import type { BlobInfo, ContentWriter, WriterOptions } from './content.ts';

type Request = MessageInitShape<typeof content.WriteContentRequestSchema>;

/** Of one message; containerd takes 16 MiB. */
const maxChunkBytes = 4 << 20;

export interface RemoteWriterOptions extends WriterOptions {
  readonly client: Client<typeof content.Content>;
  readonly info: (digest: string) => Promise<BlobInfo>;
  readonly abort: (ref: string) => Promise<void>;
}

/** One call of Content.Write: each request is answered before the next one is sent. The call holds the lock on the ref. */
export class RemoteWriter implements ContentWriter {
  readonly ref: string;
  readonly #options: RemoteWriterOptions;
  readonly #requests: MessageQueue<Request>;
  readonly #responses: AsyncIterator<content.WriteContentResponse>;
  readonly #cut: AbortController;
  #offsetBytes = 0;
  #digest = '';
  #state: 'open' | 'done' = 'open';

  private constructor(options: RemoteWriterOptions) {
    this.ref = options.ref;
    this.#options = options;
    this.#requests = new MessageQueue();
    this.#cut = new AbortController();
    this.#responses = options.client.write(this.#requests, { signal: this.#cut.signal })[Symbol.asyncIterator]();
  }

  static async open(options: RemoteWriterOptions): Promise<RemoteWriter> {
    const { ref, expectedDigest: expected = '', expectedSizeBytes = 0 } = options;
    const writer = new RemoteWriter(options);
    await writer.#send({ action: content.WriteAction.STAT, ref, total: BigInt(expectedSizeBytes), expected });
    return writer;
  }

  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  digest(): string {
    return this.#digest;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen();
    const { expectedSizeBytes } = this.#options;
    if (expectedSizeBytes !== undefined && this.#offsetBytes + chunk.length > expectedSizeBytes) {
      await this.#discard();
      throw this.#mismatch(`${this.#name}: more than the ${expectedSizeBytes} bytes expected`);
    }
    for (let at = 0; at < chunk.length; at += maxChunkBytes) {
      const data = Uint8Array.from(chunk.subarray(at, at + maxChunkBytes));
      await this.#send({ action: content.WriteAction.WRITE, offset: BigInt(this.#offsetBytes), data });
    }
  }

  /** A write at the beginning of what is not empty throws that away. */
  async truncate(): Promise<void> {
    this.#assertOpen();
    if (this.#offsetBytes > 0) await this.#send({ action: content.WriteAction.WRITE, offset: 0n });
  }

  async commit({
    sizeBytes = this.#options.expectedSizeBytes,
    digest: expected = this.#options.expectedDigest,
    labels,
  }: {
    readonly sizeBytes?: number;
    readonly digest?: string;
    readonly labels?: Readonly<Record<string, string>>;
  } = {}): Promise<BlobInfo> {
    this.#assertOpen();
    if (sizeBytes !== undefined && sizeBytes !== this.#offsetBytes) {
      const offsetBytes = this.#offsetBytes;
      await this.#discard();
      throw this.#mismatch(`${JSON.stringify(this.ref)} failed size validation: ${offsetBytes} != ${sizeBytes}`);
    }
    try {
      await this.#send({
        action: content.WriteAction.COMMIT,
        total: BigInt(this.#offsetBytes),
        offset: BigInt(this.#offsetBytes),
        expected: expected ?? '',
        ...(labels === undefined ? {} : { labels: { ...labels } }),
      });
    } catch (error) {
      // Another may have brought it meanwhile: it is there, which is all that was wanted.
      if (!isCode(error, 'AlreadyExists')) {
        if (isCode(error, 'FailedPrecondition')) await this.#discard();
        throw error;
      }
    }
    await this.#end();
    return await this.#options.info(expected ?? this.#digest);
  }

  async close(): Promise<void> {
    if (this.#state === 'open') await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(request: Request): Promise<void> {
    this.#requests.push(request);
    try {
      const { done, value } = await this.#responses.next();
      if (done === true) throw new StrakeError('Unavailable', `ingest ${this.ref}: the call ended before it was answered`, { fields: { layer: 'core' } });
      this.#offsetBytes = Number(value.offset);
      this.#digest = value.digest;
    } catch (error) {
      this.#state = 'done';
      this.#requests.end();
      throw error;
    }
  }

  /** The ref is free again once the other side has ended the call too. */
  async #end(): Promise<void> {
    this.#state = 'done';
    this.#requests.end();
    try {
      while ((await this.#responses.next()).done !== true);
    } catch {
      // Whatever it was, the call is over, and what was asked of it has been answered before.
    }
    this.#cut.abort();
  }

  async #discard(): Promise<void> {
    await this.close();
    try {
      await this.#options.abort(this.ref);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }

  #assertOpen(): void {
    if (this.#state === 'done') throw new StrakeError('FailedPrecondition', `ingest ${this.ref}: the writer is closed`, { fields: { layer: 'core' } });
  }

  #mismatch(problem: string): StrakeError {
    return new StrakeError('FailedPrecondition', problem, { fields: { layer: 'core' } });
  }

  get #name(): string {
    return this.#options.expectedDigest ?? `ingest ${this.ref}`;
  }
}
