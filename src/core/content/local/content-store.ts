import { errorMessage, type Logger, StrakeError } from '../../../base/index.ts';
import { type DigestAlgorithm, Digester, digestOf, parseDigest } from '../../../oci/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { labelsText, type MetadataDatabase, numberOf, type Row, readableLabelsOf, textOf, timeOf } from '../../metadata/index.ts';
import type { BlobInfo, ContentStore, ContentWriter, IngestStatus, WriterOptions } from '../content.ts';
import { BlobFiles } from './blob-files.ts';
import { readFileChunks } from './read-file.ts';
import { LocalWriter } from './writer.ts';

const maxRefBytes = 512;

export interface LocalContentOptions {
  readonly root: string;
  readonly db: MetadataDatabase;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** Blobs as files, and what is known about them in the metadata database. The files are the truth: a row without a file is none, a file without a row gets one. */
export class LocalContentStore implements ContentStore {
  readonly #files: BlobFiles;
  readonly #db: MetadataDatabase;
  readonly #now: () => Date;
  readonly #log: Logger;
  readonly #locked = new Set<string>();

  constructor({ root, db, log, now = () => new Date() }: LocalContentOptions) {
    this.#log = log;
    this.#files = new BlobFiles(root);
    this.#db = db;
    this.#now = now;
  }

  async info(digest: string): Promise<BlobInfo> {
    return this.#info(digest);
  }

  #info(digest: string): BlobInfo {
    const file = this.#files.stat(digest);
    const row = this.#db.get('select * from blobs where digest = ?', digest);
    if (file === undefined) {
      if (row !== undefined) this.#db.run('delete from blobs where digest = ?', digest);
      throw notFound(digest);
    }
    return row === undefined ? this.#record(digest, file.sizeBytes, undefined, file.modifiedAt) : toInfo(row);
  }

  async *read(digest: string, options: { readonly offset?: number; readonly length?: number; readonly signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    await this.info(digest);
    const { offset = 0, length } = options;
    if (offset > 0 || length !== undefined) {
      yield* readFileChunks(this.#files.blob(digest), options);
      return;
    }
    const digester = new Digester(parseDigest(digest).algorithm);
    for await (const chunk of readFileChunks(this.#files.blob(digest), options)) {
      digester.update(chunk);
      yield chunk;
    }
    if (digester.digest() !== digest) throw await this.#damaged(digest);
  }

  async readAll(digest: string, limitBytes: number): Promise<Uint8Array> {
    const { sizeBytes } = await this.info(digest);
    if (sizeBytes > limitBytes)
      throw new StrakeError('OutOfRange', `blob ${digest} has ${sizeBytes} bytes, at most ${limitBytes} are read`, { fields: { layer: 'core' } });
    const bytes = Buffer.concat(await Array.fromAsync(readFileChunks(this.#files.blob(digest), { length: limitBytes })));
    if (digestOf(bytes, parseDigest(digest).algorithm) !== digest) throw await this.#damaged(digest);
    return bytes;
  }

  /** Set aside, so that a pull can bring the blob again and nobody reads it meanwhile. */
  async #damaged(digest: string): Promise<StrakeError> {
    const aside = await this.#files.setAside(digest);
    this.#db.run('delete from blobs where digest = ?', digest);
    return new StrakeError('DataLoss', `blob ${digest} is damaged: it does not hash to its name; it was set aside as ${aside}`, {
      fields: { layer: 'core', digest, remedy: 'pull the image again' },
    });
  }

  async writer(options: WriterOptions): Promise<ContentWriter> {
    const { ref, expectedDigest, expectedSizeBytes } = options;
    if (ref === '' || Buffer.byteLength(ref) > maxRefBytes)
      throw new StrakeError('InvalidArgument', `ingest ref has ${Buffer.byteLength(ref)} bytes, 1 to ${maxRefBytes} are possible`, {
        fields: { layer: 'core' },
      });
    const algorithm: DigestAlgorithm = expectedDigest === undefined ? 'sha256' : parseDigest(expectedDigest).algorithm;
    if (this.#locked.has(ref)) throw new StrakeError('Unavailable', `ingest ${ref} is locked by another writer`, { fields: { layer: 'core' } });
    this.#locked.add(ref);
    try {
      if (expectedDigest !== undefined && this.#files.stat(expectedDigest) !== undefined) {
        // A crash after the blob got its name may have left the record of its ingest.
        const row = this.#db.get('select id from ingests where ref = ?', ref);
        if (row !== undefined) await this.#discard(numberOf(row, 'id'));
        throw new StrakeError('AlreadyExists', `blob ${expectedDigest}: already exists`, { fields: { layer: 'core', digest: expectedDigest } });
      }
      const id = await this.#beginIngest(options);
      return await LocalWriter.open({
        ref,
        file: this.#files.ingest(id),
        algorithm,
        expectedDigest,
        expectedSizeBytes,
        host: {
          publish: async (digest, sizeBytes, labels) => await this.#publish(id, digest, sizeBytes, labels),
          discard: async () => await this.#discard(id),
          release: () => this.#locked.delete(ref),
        },
      });
    } catch (error) {
      this.#locked.delete(ref);
      throw error;
    }
  }

  async setLabels(digest: string, labels: Readonly<Record<string, string>>): Promise<BlobInfo> {
    await this.info(digest);
    this.#db.run('update blobs set labels = ?, updated = ? where digest = ?', labelsText(labels), this.#now().getTime(), digest);
    return await this.info(digest);
  }

  async *walk(filters: readonly string[] = []): AsyncIterable<BlobInfo> {
    const wanted = parseFilters(filters);
    for (const row of this.#db.all('select digest from blobs order by digest')) {
      try {
        const info = this.#info(textOf(row, 'digest'));
        if (wanted(fieldsOf({ digest: info.digest, size: String(info.sizeBytes) }, { labels: info.labels }))) yield info;
      } catch (error) {
        // Removed since the list was made, or its file is gone.
        if (!(error instanceof StrakeError && error.code === 'NotFound')) throw error;
      }
    }
  }

  async delete(digest: string): Promise<void> {
    this.#info(digest);
    this.sweep([digest]);
    await this.#files.emptyRemoved();
  }

  /** For the garbage collector: forgets these blobs at once. */
  sweep(digests: readonly string[]): readonly string[] {
    const there = this.#db.transaction(() => digests.filter((digest) => this.#db.run('delete from blobs where digest = ?', digest).changes > 0));
    for (const digest of digests) this.#files.unlink(digest);
    if (digests.length > 0) this.#removeLater(this.#files.emptyRemoved());
    return there;
  }

  /** For the garbage collector: forgets ingests that nobody writes. */
  sweepIngests(refs: readonly string[]): void {
    for (const ref of refs) {
      const row = this.#locked.has(ref) ? undefined : this.#db.get('select id from ingests where ref = ?', ref);
      if (row) this.#removeLater(this.#discard(numberOf(row, 'id')));
    }
  }

  /** After a crash or a lost database: files that no record knows are recorded, so that they are used or collected; half-written ones go. */
  async adoptFiles(): Promise<void> {
    await this.#files.emptyRemoved();
    for (const digest of this.#files.digests()) this.#info(digest);
    for (const id of await this.#files.ingestIds()) if (!this.#db.get('select 1 from ingests where id = ?', id)) await this.#files.removeIngest(id);
  }

  #removeLater(removal: Promise<void>): void {
    removal.catch((error: unknown) => this.#log.warn('files of removed content stay until the next start', { error: errorMessage(error) }));
  }

  async ingests(filters: readonly string[] = []): Promise<readonly IngestStatus[]> {
    const wanted = parseFilters(filters);
    const rows = this.#db.all('select * from ingests order by ref').filter((row) => wanted(fieldsOf({ ref: textOf(row, 'ref') })));
    return await Promise.all(rows.map(async (row) => toStatus(row, await this.#files.ingestSize(numberOf(row, 'id')))));
  }

  async abort(ref: string): Promise<void> {
    const row = this.#db.get('select id from ingests where ref = ?', ref);
    if (row === undefined) throw new StrakeError('NotFound', `ingest ${ref}: not found`, { fields: { layer: 'core' } });
    if (this.#locked.has(ref)) throw new StrakeError('Unavailable', `ingest ${ref} is locked by a writer`, { fields: { layer: 'core' } });
    await this.#discard(numberOf(row, 'id'));
  }

  /** The number of the ingest of this ref: the old one's when it is for the same content. */
  async #beginIngest({ ref, expectedDigest, expectedSizeBytes }: WriterOptions): Promise<number> {
    const at = this.#now().getTime();
    const row = this.#db.get('select id from ingests where ref = ?', ref);
    if (row === undefined) {
      const id = this.#db.run(
        'insert into ingests (ref, expected, total, started, updated) values (?, ?, ?, ?, ?)',
        ref,
        expectedDigest ?? null,
        expectedSizeBytes ?? null,
        at,
        at,
      ).lastId;
      // A database that was lost may have left a file of this number.
      await this.#files.removeIngest(id);
      return id;
    }
    this.#db.run('update ingests set expected = ?, total = ?, updated = ? where ref = ?', expectedDigest ?? null, expectedSizeBytes ?? null, at, ref);
    return numberOf(row, 'id');
  }

  async #publish(id: number, digest: string, sizeBytes: number, labels: Readonly<Record<string, string>> | undefined): Promise<BlobInfo> {
    await this.#files.publish(id, digest);
    this.#db.run('delete from ingests where id = ?', id);
    return this.#record(digest, sizeBytes, labels, this.#now());
  }

  async #discard(id: number): Promise<void> {
    this.#db.run('delete from ingests where id = ?', id);
    await this.#files.removeIngest(id);
  }

  #record(digest: string, sizeBytes: number, labels: Readonly<Record<string, string>> | undefined, at: Date): BlobInfo {
    this.#db.run(
      `insert into blobs (digest, size, created, updated, labels) values (?, ?, ?, ?, ?)
       on conflict (digest) do update set size = excluded.size`,
      digest,
      sizeBytes,
      at.getTime(),
      at.getTime(),
      labelsText(labels),
    );
    return toInfo(this.#db.get('select * from blobs where digest = ?', digest) ?? {});
  }
}

function toInfo(row: Row): BlobInfo {
  return {
    digest: textOf(row, 'digest'),
    sizeBytes: numberOf(row, 'size'),
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
    labels: readableLabelsOf(row),
  };
}

function toStatus(row: Row, offsetBytes: number): IngestStatus {
  return {
    ref: textOf(row, 'ref'),
    offsetBytes,
    totalBytes: (row['total'] as number | null) ?? undefined,
    expected: (row['expected'] as string | null) ?? undefined,
    startedAt: timeOf(row, 'started'),
    updatedAt: timeOf(row, 'updated'),
  };
}

function notFound(digest: string): StrakeError {
  return new StrakeError('NotFound', `blob ${digest}: not found`, { fields: { layer: 'core', digest } });
}
