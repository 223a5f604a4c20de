import type { MessageInitShape } from '@bufbuild/protobuf';
import { content } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import { type ContentStore, type ContentWriter, holdsBlob } from '../../core/index.ts';
import { isDigest } from '../../oci/index.ts';
import { timestampOf } from '../messages.ts';

type Request = content.WriteContentRequest;
type Response = MessageInitShape<typeof content.WriteContentResponseSchema>;

/**
 * One ingest: the first message names it and locks it for this call. Each message is answered with how far the ingest is; COMMIT ends the call. Ended otherwise, or refused,
 * the ingest stays, to be gone on with.
 */
export async function* writeContent(store: ContentStore, requests: AsyncIterable<Request>): AsyncGenerator<Response> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  if (first.done === true) return;
  if (first.value.ref === '') throw invalid('first message must have a reference');
  await using ingest = await Ingest.open(store, first.value);
  for (let next: IteratorResult<Request> = first; next.done !== true; next = await messages.next()) {
    yield await ingest.answer(next.value);
    if (next.value.action === content.WriteAction.COMMIT) return;
  }
}

/** What is known of the content before it is whole may come with any message, the latest counts. */
class Ingest implements AsyncDisposable {
  readonly #store: ContentStore;
  readonly #writer: ContentWriter;
  readonly #startedAt: Date;
  #totalBytes: number;
  #expected: string;

  private constructor(store: ContentStore, writer: ContentWriter, startedAt: Date, { total, expected }: Request) {
    this.#store = store;
    this.#writer = writer;
    this.#startedAt = startedAt;
    this.#totalBytes = Number(total);
    this.#expected = expected;
  }

  /** AlreadyExists when the namespace has what is expected. */
  static async open(store: ContentStore, first: Request): Promise<Ingest> {
    const { ref, total, expected } = first;
    if (expected !== '') checkDigest(expected);
    const writer = await store.writer({
      ref,
      keepsRefused: true,
      ...(expected === '' ? {} : { expectedDigest: expected }),
      ...(total > 0n ? { expectedSizeBytes: Number(total) } : {}),
    });
    const [status] = await store.ingests([`ref==${JSON.stringify(ref)}`]);
    return new Ingest(store, writer, status?.startedAt ?? new Date(), first);
  }

  async answer(request: Request): Promise<Response> {
    if (request.expected !== '') await this.#expect(request.expected);
    if (request.total > 0n) this.#totalBytes = Number(request.total);
    if (request.action !== content.WriteAction.STAT) await this.#write(request);
    const digest = request.action === content.WriteAction.COMMIT ? await this.#commit(request) : this.#writer.digest();
    return {
      action: request.action,
      offset: BigInt(this.#writer.offsetBytes),
      total: BigInt(this.#totalBytes),
      digest,
      startedAt: timestampOf(this.#startedAt),
      updatedAt: timestampOf(new Date()),
    };
  }

  async #expect(digest: string): Promise<void> {
    checkDigest(digest);
    this.#expected = digest;
    if (!(await holdsBlob(this.#store, digest))) return;
    await this.#forget();
    throw new StrakeError('AlreadyExists', `blob with expected digest ${digest} exists`, { fields: { layer: 'containerd', digest } });
  }

  async #write({ offset, data }: Request): Promise<void> {
    const at = this.#writer.offsetBytes;
    if (offset > 0n && Number(offset) !== at)
      throw new StrakeError('OutOfRange', `write @${offset} must occur at current offset ${at}`, { fields: { layer: 'containerd' } });
    if (offset === 0n && at > 0) await this.#writer.truncate();
    if (data.length > 0) await this.#writer.write(data);
  }

  async #commit({ labels }: Request): Promise<string> {
    const digest = this.#expected === '' ? this.#writer.digest() : this.#expected;
    // Another may have brought it meanwhile.
    const exists = await holdsBlob(this.#store, digest);
    await this.#writer.commit({ digest, ...(this.#totalBytes > 0 ? { sizeBytes: this.#totalBytes } : {}), ...(exists ? {} : { labels }) });
    if (exists) throw new StrakeError('AlreadyExists', `content ${digest}: already exists`, { fields: { layer: 'containerd', digest } });
    return digest;
  }

  async #forget(): Promise<void> {
    await this.#writer.close();
    try {
      await this.#store.abort(this.#writer.ref);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
  }
}

function checkDigest(digest: string): void {
  if (!isDigest(digest)) throw invalid(`${JSON.stringify(digest)} failed validation`);
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
