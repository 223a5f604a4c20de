import { errorMessage, type Logger, StrakeError } from '../../../base/index.ts';
import { type DigestAlgorithm, Digester, digestOf, parseDigest } from '../../../oci/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsText, numberOf, type Row, readableLabelsOf, textOf, timeOf } from '../../metadata/index.ts';
import type { BlobInfo, ContentStore, ContentWriter, IngestStatus, ReadOptions, WriterOptions } from '../content.ts';
import { pastEnd } from '../past-end.ts';
import type { BlobFiles } from './blob-files.ts';
import { readFileChunks } from './read-file.ts';
import { SharedWriter } from './shared-writer.ts';
import { LocalWriter, type WrittenBlob } from './writer.ts';

const maxRefBytes = 512;

export interface LocalContentOptions extends LocalScope {
  /** Of all namespaces. */
  readonly files: BlobFiles;
  readonly log: Logger;
}

/**
 * The blobs of one namespace: files, which all namespaces share, and what is known about them in the metadata database. The files are the truth: a row without
 * a file is none, a file that no namespace has a row of belongs to who finds it. A namespace that wants a blob that another one has need not write it:
 * containerd's policy `shared`.
 */
export class LocalContentStore implements ContentStore {
  readonly #scope: LocalScope;
  readonly #files: BlobFiles;
  readonly #log: Logger;
  readonly #locked = new Set<string>();

  constructor({ files, log, ...scope }: LocalContentOptions) {
    this.#log = log;
    this.#files = files;
    this.#scope = scope;
  }

  async info(digest: string): Promise<BlobInfo> {
    return this.#info(digest);
  }

  #info(digest: string): BlobInfo {
    const file = this.#files.stat(digest);
    const row = this.#row(digest);
    if (file === undefined) {
      if (row !== undefined) this.#forget(digest);
      throw notFound(digest);
    }
    if (row !== undefined) return toInfo(row);
    if (this.#isUsed(digest)) throw notFound(digest);
    return this.#record(digest, file.sizeBytes, undefined, file.modifiedAt);
  }

  #row(digest: string): Row | undefined {
    return this.#scope.db.get('select * from blobs where namespace = ? and digest = ?', this.#scope.namespace, digest);
  }

  /** False when it was not there. */
  #forget(digest: string): boolean {
    return this.#scope.db.run('delete from blobs where namespace = ? and digest = ?', this.#scope.namespace, digest).changes > 0;
  }

  /** Whether any namespace has it, or is about to. */
  #isUsed(digest: string): boolean {
    const { db } = this.#scope;
    return (
      db.get('select 1 from blobs where digest = ? limit 1', digest) !== undefined ||
      db.get('select 1 from ingests where shared = 1 and expected = ? limit 1', digest) !== undefined
    );
  }

  async *read(digest: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { sizeBytes } = this.#info(digest);
    const { offset = 0, length = sizeBytes, verifies = options.length === undefined } = options;
    if (offset > sizeBytes) throw pastEnd(digest, sizeBytes);
    if (!verifies || offset > 0 || length < sizeBytes) {
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
    this.#scope.db.run('delete from blobs where digest = ?', digest);
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
      const file = expectedDigest === undefined ? undefined : this.#files.stat(expectedDigest);
      if (expectedDigest !== undefined && file !== undefined) {
        if (this.#row(expectedDigest) !== undefined || !this.#isUsed(expectedDigest)) {
          // A crash after the blob got its name may have left the record of its ingest.
          const row = this.#ingest(ref);
          if (row !== undefined) await this.#discard(numberOf(row, 'id'));
          throw new StrakeError('AlreadyExists', `content ${expectedDigest}: already exists`, { fields: { layer: 'core', digest: expectedDigest } });
        }
        if (expectedSizeBytes === undefined || expectedSizeBytes === file.sizeBytes) return this.#share(options, expectedDigest, file.sizeBytes, algorithm);
      }
      return await this.#open(options, await this.#beginIngest(options), algorithm);
    } catch (error) {
      this.#locked.delete(ref);
      throw error;
    }
  }

  async #open({ ref, expectedDigest, expectedSizeBytes, keepsRefused = false }: WriterOptions, id: number, algorithm: DigestAlgorithm): Promise<LocalWriter> {
    return await LocalWriter.open({
      ref,
      file: this.#files.ingest(id),
      algorithm,
      expectedDigest,
      expectedSizeBytes,
      keepsRefused,
      host: {
        publish: async (blob, sync) => await this.#publish(id, blob, sync),
        discard: async () => await this.#discard(id),
        release: () => this.#locked.delete(ref),
      },
    });
  }

  /** The record of the ingest keeps the file until the blob is recorded here too, or the ingest is given up. */
  #share(options: WriterOptions, digest: string, sizeBytes: number, algorithm: DigestAlgorithm): SharedWriter {
    const { ref } = options;
    const id = this.#recordIngest(options, true);
    return new SharedWriter(
      ref,
      { digest, sizeBytes },
      {
        adopt: async (labels) => {
          checkLabels(labels, 'info.Labels');
          return this.#scope.db.transaction(() => {
            this.#forgetIngest(id);
            return this.#record(digest, sizeBytes, labels, this.#scope.now());
          });
        },
        unshare: async () => await this.#open(options, await this.#beginIngest(options), algorithm),
        release: () => this.#locked.delete(ref),
      },
    );
  }

  async setLabels(digest: string, labels: Readonly<Record<string, string>>): Promise<BlobInfo> {
    this.#info(digest);
    return this.#writeLabels(digest, labels);
  }

  async mergeLabels(digest: string, labels: Readonly<Record<string, string>>): Promise<BlobInfo> {
    return this.#writeLabels(digest, mergeLabels(this.#info(digest).labels, labels));
  }

  #writeLabels(digest: string, labels: Readonly<Record<string, string>>): BlobInfo {
    checkLabels(labels, 'info.Labels');
    const { db, namespace, now } = this.#scope;
    db.run('update blobs set labels = ?, updated = ? where namespace = ? and digest = ?', labelsText(labels), now().getTime(), namespace, digest);
    return this.#info(digest);
  }

  async *walk(filters: readonly string[] = []): AsyncIterable<BlobInfo> {
    const wanted = parseFilters(filters);
    for (const row of this.#scope.db.all('select digest from blobs where namespace = ? order by digest', this.#scope.namespace)) {
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
    this.#scope.removed();
    await this.#files.emptyRemoved();
  }

  /** For the garbage collector: forgets these blobs at once; a file goes with the last namespace that has it. */
  sweep(digests: readonly string[]): readonly string[] {
    const there = this.#scope.db.transaction(() => digests.filter((digest) => this.#forget(digest)));
    for (const digest of digests) if (!this.#isUsed(digest)) this.#files.unlink(digest);
    for (const digest of there) this.#scope.events.publish('/content/delete', { digest });
    if (digests.length > 0) this.#removeLater(this.#files.emptyRemoved());
    return there;
  }

  /** For the garbage collector: forgets ingests that nobody writes. */
  sweepIngests(refs: readonly string[]): void {
    for (const ref of refs) {
      const row = this.#locked.has(ref) ? undefined : this.#ingest(ref);
      if (row) this.#removeLater(this.#discard(numberOf(row, 'id')));
    }
  }

  /** After a crash or a lost database: files that no record knows are recorded, so that they are used or collected; half-written ones go. */
  async adoptFiles(): Promise<void> {
    await this.#files.emptyRemoved();
    for (const digest of this.#files.digests()) if (!this.#isUsed(digest)) this.#info(digest);
    for (const id of await this.#files.ingestIds()) if (!this.#scope.db.get('select 1 from ingests where id = ?', id)) await this.#files.removeIngest(id);
  }

  #removeLater(removal: Promise<void>): void {
    removal.catch((error: unknown) => this.#log.warn('files of removed content stay until the next start', { error: errorMessage(error) }));
  }

  async ingests(filters: readonly string[] = []): Promise<readonly IngestStatus[]> {
    const wanted = parseFilters(filters);
    const rows = this.#scope.db
      .all('select * from ingests where namespace = ? order by ref', this.#scope.namespace)
      .filter((row) => wanted(fieldsOf({ ref: textOf(row, 'ref') })));
    return await Promise.all(rows.map(async (row) => toStatus(row, await this.#ingestSize(row))));
  }

  async #ingestSize(row: Row): Promise<number> {
    return numberOf(row, 'shared') === 1 ? numberOf(row, 'total') : await this.#files.ingestSize(numberOf(row, 'id'));
  }

  #ingest(ref: string): Row | undefined {
    return this.#scope.db.get('select * from ingests where namespace = ? and ref = ?', this.#scope.namespace, ref);
  }

  async abort(ref: string): Promise<void> {
    const row = this.#ingest(ref);
    if (row === undefined) throw new StrakeError('NotFound', `reference ${ref}: not found`, { fields: { layer: 'core' } });
    if (this.#locked.has(ref)) throw new StrakeError('Unavailable', `ingest ${ref} is locked by a writer`, { fields: { layer: 'core' } });
    await this.#discard(numberOf(row, 'id'));
  }

  /** The number of the ingest of this ref: the old one's when it is for the same content. */
  async #beginIngest(options: WriterOptions): Promise<number> {
    const old = this.#ingest(options.ref);
    const { expectedSizeBytes } = options;
    const isOther = expectedSizeBytes !== undefined && old?.['total'] != null && numberOf(old, 'total') !== expectedSizeBytes;
    const id = this.#recordIngest(options, false);
    // A database that was lost may have left a file of this number.
    if (old === undefined || isOther) await this.#files.removeIngest(id);
    return id;
  }

  #recordIngest({ ref, expectedDigest, expectedSizeBytes }: WriterOptions, isShared: boolean): number {
    const { db, namespace, now, enter } = this.#scope;
    enter();
    const at = now().getTime();
    const expected = expectedDigest ?? null;
    const total = isShared ? (this.#files.stat(expectedDigest ?? '')?.sizeBytes ?? 0) : (expectedSizeBytes ?? null);
    const row = this.#ingest(ref);
    if (row === undefined)
      return db.run(
        'insert into ingests (namespace, ref, expected, total, started, updated, shared) values (?, ?, ?, ?, ?, ?, ?)',
        namespace,
        ref,
        expected,
        total,
        at,
        at,
        Number(isShared),
      ).lastId;
    const id = numberOf(row, 'id');
    db.run('update ingests set expected = ?, total = ?, updated = ?, shared = ? where id = ?', expected, total, at, Number(isShared), id);
    return id;
  }

  #forgetIngest(id: number): void {
    this.#scope.db.run('delete from ingests where id = ?', id);
  }

  async #publish(id: number, { digest, sizeBytes, labels }: WrittenBlob, sync: () => Promise<void>): Promise<BlobInfo> {
    checkLabels(labels, 'info.Labels');
    const record = () =>
      this.#scope.db.transaction(() => {
        this.#forgetIngest(id);
        return this.#record(digest, sizeBytes, labels, this.#scope.now());
      });
    return await this.#files.publish(id, digest, { sync, record });
  }

  async #discard(id: number): Promise<void> {
    this.#forgetIngest(id);
    await this.#files.removeIngest(id);
  }

  #record(digest: string, sizeBytes: number, labels: Readonly<Record<string, string>> | undefined, at: Date): BlobInfo {
    const { db, namespace, enter, events } = this.#scope;
    enter();
    const isNew = this.#row(digest) === undefined;
    db.run(
      `insert into blobs (namespace, digest, size, created, updated, labels) values (?, ?, ?, ?, ?, ?)
       on conflict (namespace, digest) do update set size = excluded.size`,
      namespace,
      digest,
      sizeBytes,
      at.getTime(),
      at.getTime(),
      labelsText(labels),
    );
    if (isNew) events.publish('/content/create', { digest, size: sizeBytes });
    return toInfo(this.#row(digest) ?? {});
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
  return new StrakeError('NotFound', `content digest ${digest}: not found`, { fields: { layer: 'core', digest } });
}
