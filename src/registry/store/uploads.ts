import { gather, isCode, iterateUntilAborted, StrakeError } from '../../base/index.ts';
import { type ContentStore, type ContentWriter, type MetadataDatabase, numberOf, textOf } from '../../core/index.ts';
import { registryError } from '../errors.ts';
import type { DigestLocks } from './digest-locks.ts';

export interface UploadsOptions {
  readonly content: ContentStore;
  readonly db: MetadataDatabase;
  readonly locks: DigestLocks;
  /** Gives a repository a blob that was stored; under the digest's lock, so that no garbage collection comes between. */
  readonly link: (repository: string, digest: string, sizeBytes: number) => void;
  readonly now?: () => Date;
  /** Ingests that are kept open between requests; the longest unused one is closed first. */
  readonly maxOpen?: number;
}

/** Each is a descriptor and a hash state. */
const defaultMaxOpen = 128;

export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly offsetBytes: number;
}

/** The bytes of one request: where they begin, if it says so, and how many it announces. */
export interface UploadChunk {
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly lengthBytes: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

interface Session {
  readonly id: string;
  readonly repository: string;
  writer: ContentWriter | undefined;
  offsetBytes: number;
  /** The request that is using it. */
  request: { readonly interrupt: AbortController; readonly done: Promise<void> } | undefined;
}

const refPrefix = 'upload-';

/**
 * Uploads between their first request and their last: an ingest of the content store each. The ingest stays open from one request to the next, so
 * that what came before is not hashed again; one that was closed (by a restart, or to make room) is opened again when it is used.
 */
export class Uploads {
  readonly #content: ContentStore;
  readonly #db: MetadataDatabase;
  readonly #options: UploadsOptions;
  readonly #now: () => Date;
  /** In the order of their last use. */
  readonly #open = new Map<string, Session>();

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#content = options.content;
    this.#db = options.db;
    this.#now = options.now ?? (() => new Date());
  }

  start(repository: string): Upload {
    const id = crypto.randomUUID();
    const at = this.#now().getTime();
    this.#db.run('insert into uploads (id, repository, started, used) values (?, ?, ?, ?)', id, repository, at, at);
    return { id, repository, offsetBytes: 0 };
  }

  /** BLOB_UPLOAD_UNKNOWN when there is none, as for all that follow. */
  async status(repository: string, id: string): Promise<Upload> {
    const session = this.#open.get(id);
    if (session !== undefined && session.repository === repository) return toUpload(session);
    this.#find(repository, id);
    const [ingest] = await this.#content.ingests([`ref=="${refPrefix}${id}"`]);
    return { id, repository, offsetBytes: ingest?.offsetBytes ?? 0 };
  }

  /**
   * Adds a chunk. RANGE_INVALID when it does not begin where the last one ended: nothing is written then. What arrived of a chunk that broke off
   * stays, and the client can go on after it.
   */
  async append(repository: string, id: string, chunk: UploadChunk): Promise<Upload> {
    return await this.#use(repository, id, async (session, writer, signal) => {
      await write(session, writer, chunk, signal);
      return toUpload(session);
    });
  }

  /** Adds the last chunk, if there is one, and stores the blob. DIGEST_INVALID when it is another one: the upload is gone then. */
  async finish(repository: string, id: string, digest: string, chunk: UploadChunk): Promise<{ readonly sizeBytes: number }> {
    return await this.#use(repository, id, async (session, writer, signal) => {
      await write(session, writer, chunk, signal);
      try {
        return await this.#commit(writer, repository, digest, undefined);
      } finally {
        await this.#forget(session);
      }
    });
  }

  /** Stores a blob that comes whole in one request. */
  async whole(repository: string, digest: string, { body, lengthBytes }: UploadChunk): Promise<{ readonly sizeBytes: number }> {
    const ref = `${refPrefix}${crypto.randomUUID()}`;
    const writer = await this.#content.writer({ ref });
    try {
      for await (const bytes of gather(body)) await writer.write(bytes);
      return await this.#commit(writer, repository, digest, lengthBytes);
    } catch (error) {
      await writer.close();
      await this.#abort(ref);
      throw error;
    }
  }

  async cancel(repository: string, id: string): Promise<void> {
    this.#find(repository, id);
    await this.#discard(id);
  }

  /** Forgets uploads that nobody went on with since `before`, and what a crash left of others; answers how many. */
  async expire(before: Date): Promise<number> {
    let count = 0;
    for (const row of this.#db.all('select id from uploads where used < ?', before.getTime())) {
      const id = textOf(row, 'id');
      if (this.#open.get(id)?.request) continue;
      await this.#discard(id);
      count++;
    }
    for (const { ref, updatedAt } of await this.#content.ingests()) {
      if (updatedAt >= before || this.#db.get('select 1 from uploads where id = ?', ref.slice(refPrefix.length)) !== undefined) continue;
      if (await this.#abort(ref)) count++;
    }
    return count;
  }

  count(): number {
    return numberOf(this.#db.get('select count(*) as count from uploads') ?? {}, 'count');
  }

  async close(): Promise<void> {
    for (const session of this.#open.values()) await this.#release(session);
    this.#open.clear();
  }

  #find(repository: string, id: string): void {
    const row = this.#db.get('select repository from uploads where id = ?', id);
    if (row === undefined || textOf(row, 'repository') !== repository)
      throw registryError('BLOB_UPLOAD_UNKNOWN', `upload ${JSON.stringify(id.slice(0, 64))} is unknown to repository ${repository}`);
  }

  /**
   * One request at a time for each upload: a later one ends the one before. Its client has lost the connection and is back, while nobody here knows
   * yet that the old one is dead.
   */
  async #use<T>(repository: string, id: string, body: (session: Session, writer: ContentWriter, signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#find(repository, id);
    const session = this.#open.get(id) ?? { id, repository, writer: undefined, offsetBytes: 0, request: undefined };
    while (session.request !== undefined) await interrupt(session);
    const done = Promise.withResolvers<void>();
    const request = { interrupt: new AbortController(), done: done.promise };
    session.request = request;
    this.#open.delete(id);
    this.#open.set(id, session);
    try {
      const writer = await this.#writer(session);
      this.#db.run('update uploads set used = ? where id = ?', this.#now().getTime(), id);
      return await body(session, writer, request.interrupt.signal);
    } catch (error) {
      if (isLost(error)) await this.#forget(session);
      throw error;
    } finally {
      session.request = undefined;
      done.resolve();
    }
  }

  async #writer(session: Session): Promise<ContentWriter> {
    if (session.writer !== undefined) return session.writer;
    const writer = await this.#content.writer({ ref: `${refPrefix}${session.id}` });
    session.writer = writer;
    session.offsetBytes = writer.offsetBytes;
    await this.#makeRoom();
    return writer;
  }

  async #makeRoom(): Promise<void> {
    const excess = this.#open.size - (this.#options.maxOpen ?? defaultMaxOpen);
    const unused = [...this.#open.values()].filter(({ request }) => request === undefined);
    for (const session of unused.slice(0, Math.max(0, excess))) await this.#release(session);
  }

  /** Closes the ingest; what is in it stays. */
  async #release(session: Session): Promise<void> {
    while (session.request !== undefined) await interrupt(session);
    const { writer } = session;
    session.writer = undefined;
    this.#open.delete(session.id);
    await writer?.close();
  }

  async #discard(id: string): Promise<void> {
    const session = this.#open.get(id);
    if (session !== undefined) await this.#release(session);
    this.#db.run('delete from uploads where id = ?', id);
    await this.#abort(`${refPrefix}${id}`);
  }

  async #forget(session: Session): Promise<void> {
    await session.writer?.close();
    this.#open.delete(session.id);
    this.#db.run('delete from uploads where id = ?', session.id);
  }

  async #commit(writer: ContentWriter, repository: string, digest: string, sizeBytes: number | undefined): Promise<{ readonly sizeBytes: number }> {
    return await this.#options.locks.run(digest, async () => {
      try {
        const info = await writer.commit({ digest, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
        this.#options.link(repository, digest, info.sizeBytes);
        return info;
      } catch (cause) {
        if (isCode(cause, 'FailedPrecondition'))
          throw registryError('DIGEST_INVALID', 'provided digest did not match uploaded content', { cause, detail: { digest } });
        throw cause;
      }
    });
  }

  /** false: it is not there any more, or it is being written. */
  async #abort(ref: string): Promise<boolean> {
    try {
      await this.#content.abort(ref);
      return true;
    } catch (error) {
      if (isCode(error, 'NotFound') || isCode(error, 'Unavailable')) return false;
      throw error;
    }
  }
}

async function interrupt({ id, request }: Session): Promise<void> {
  request?.interrupt.abort(registryError('BLOB_UPLOAD_INVALID', `upload ${id} is gone on with by another request`));
  await request?.done;
}

/** The content store throws an ingest away when it cannot be written to. */
function isLost(error: unknown): boolean {
  return error instanceof StrakeError && error.fields['permanent'] === true;
}

async function write(session: Session, writer: ContentWriter, { range, lengthBytes, body }: UploadChunk, signal: AbortSignal): Promise<void> {
  if (range !== undefined && range.start !== session.offsetBytes)
    throw registryError('RANGE_INVALID', `chunk begins at ${range.start}, the upload is at ${session.offsetBytes}`, { upload: toUpload(session) });
  if (range !== undefined && lengthBytes !== undefined && range.end - range.start + 1 !== lengthBytes)
    throw registryError('SIZE_INVALID', `range ${range.start}-${range.end} has another length than the ${lengthBytes} bytes of the request`);
  const limit = range === undefined ? Number.POSITIVE_INFINITY : range.end - range.start + 1;
  const begin = session.offsetBytes;
  for await (const bytes of gather(iterateUntilAborted(body, signal, { arrivedFirst: true }))) {
    if (session.offsetBytes + bytes.length - begin > limit) throw registryError('SIZE_INVALID', `more than the ${limit} bytes of the chunk's range were sent`);
    await writer.write(bytes);
    session.offsetBytes += bytes.length;
  }
  if (range !== undefined && session.offsetBytes - begin !== limit)
    throw registryError('SIZE_INVALID', `${session.offsetBytes - begin} bytes were sent, the chunk's range has ${limit}`);
}

function toUpload({ id, repository, offsetBytes }: Session): Upload {
  return { id, repository, offsetBytes };
}
