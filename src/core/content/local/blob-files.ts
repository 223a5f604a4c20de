import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDigest, parseDigest } from '../../../oci/index.ts';
import { DirectorySync } from './directory-sync.ts';
import { settleTwoNamed } from './two-named.ts';

const algorithms = ['sha256', 'sha384', 'sha512'] as const;

export interface Publication<T> {
  /** Brings the bytes of the ingest to the disk. */
  readonly sync: () => Promise<void>;
  /** Records the blob, whose file is whole and has its name; synchronous, so that nobody removes it before. */
  readonly record: () => T;
}

/**
 * Where blobs and ingests are: `<root>/content/blobs/ALGORITHM/HEX`, `<root>/content/ingest/NUMBER`. A file under `blobs` that has no second name under `ingest`
 * is whole. One with two was being published: nobody is shown it before it is on the disk, and after a crash it is read before it is believed
 * (docs/decisions/0022-one-wait-for-a-blob.md).
 */
export class BlobFiles {
  readonly #blobs: string;
  readonly #ingests: string;
  readonly #damaged: string;
  readonly #removed: string;
  readonly #names = new DirectorySync();
  /** Blobs that have their name, and are not known to be on the disk; never rejects. */
  readonly #unsettled = new Map<string, Promise<void>>();
  #removals = 0;

  constructor(root: string) {
    this.#blobs = path.join(root, 'content', 'blobs');
    this.#ingests = path.join(root, 'content', 'ingest');
    this.#damaged = path.join(root, 'content', 'damaged');
    this.#removed = path.join(root, 'content', 'removed');
    for (const algorithm of algorithms) mkdirSync(path.join(this.#blobs, algorithm), { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
    mkdirSync(this.#removed, { recursive: true, mode: 0o700 });
    settleTwoNamed(this.#ingests, this.#blobs);
  }

  blob(digest: string): string {
    const { algorithm, hex } = parseDigest(digest);
    return path.join(this.#blobs, algorithm, hex);
  }

  ingest(id: number): string {
    return path.join(this.#ingests, String(id));
  }

  /** Size and time of a blob that is there, else undefined. Synchronous, so that nobody removes it between this look and what follows from it. */
  stat(digest: string): { readonly sizeBytes: number; readonly modifiedAt: Date } | undefined {
    const stats = this.#unsettled.has(digest) ? undefined : statSync(this.blob(digest), { throwIfNoEntry: false });
    return stats && { sizeBytes: stats.size, modifiedAt: stats.mtime };
  }

  /** Digests of the files that are there. */
  digests(): string[] {
    return algorithms.flatMap((algorithm) =>
      readdirSync(path.join(this.#blobs, algorithm))
        .map((hex) => `${algorithm}:${hex}`)
        .filter((digest) => isDigest(digest) && !this.#unsettled.has(digest)),
    );
  }

  /** Numbers of the ingest files that are there. */
  async ingestIds(): Promise<number[]> {
    return (await readdir(this.#ingests)).map(Number).filter(Number.isSafeInteger);
  }

  async ingestSize(id: number): Promise<number> {
    return (await statFile(this.ingest(id)))?.sizeBytes ?? 0;
  }

  /**
   * Gives the ingest its name among the blobs, for good when this is done. Its bytes and its name go to the disk side by side. When it fails the ingest is
   * as it was.
   */
  async publish<T>(id: number, digest: string, publication: Publication<T>): Promise<T> {
    while (this.#unsettled.has(digest)) await this.#unsettled.get(digest);
    if (!linked(this.ingest(id), this.blob(digest))) return await this.#replace(id, digest, publication);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#unsettled.set(digest, promise);
    let result: T;
    try {
      const [bytes, name] = await Promise.allSettled([publication.sync(), this.#syncName(digest)]);
      for (const sync of [bytes, name]) if (sync.status === 'rejected') throw sync.reason;
      result = publication.record();
    } catch (error) {
      rmSync(this.blob(digest), { force: true });
      throw error;
    } finally {
      this.#unsettled.delete(digest);
      resolve();
    }
    await this.removeIngest(id);
    return result;
  }

  /** Where the name is taken, or the filesystem has no second names. */
  async #replace<T>(id: number, digest: string, { sync, record }: Publication<T>): Promise<T> {
    await sync();
    renameSync(this.ingest(id), this.blob(digest));
    const result = record();
    await this.#syncName(digest);
    return result;
  }

  /** The name survives a power loss from here on. */
  async #syncName(digest: string): Promise<void> {
    await this.#names.sync(path.dirname(this.blob(digest)));
  }

  async removeIngest(id: number): Promise<void> {
    await rm(this.ingest(id), { force: true });
  }

  /** Moves a damaged blob out of the way, where whoever looks after the machine can look at it. Answers its new path. */
  async setAside(digest: string): Promise<string> {
    const { algorithm, hex } = parseDigest(digest);
    const aside = path.join(this.#damaged, `${algorithm}-${hex}`);
    await mkdir(this.#damaged, { recursive: true, mode: 0o700 });
    await rename(this.blob(digest), aside);
    return aside;
  }

  /** Takes the blob's name away at once, so that whoever brings the same again is not in the way; the file goes with the next `emptyRemoved`. */
  unlink(digest: string): void {
    if (this.#unsettled.has(digest)) return;
    try {
      renameSync(this.blob(digest), path.join(this.#removed, `${process.pid}-${this.#removals++}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** To free the pages of a large file takes long: it is done aside. */
  async emptyRemoved(): Promise<void> {
    for (const name of await readdir(this.#removed)) await rm(path.join(this.#removed, name), { force: true });
  }
}

/** False where the name is taken, or there are no second names. */
function linked(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if (withoutLink.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** link(2): of a filesystem that cannot, too. */
const withoutLink: ReadonlySet<string> = new Set(['EEXIST', 'EPERM', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']);

async function statFile(file: string): Promise<{ readonly sizeBytes: number; readonly modifiedAt: Date } | undefined> {
  try {
    const { size, mtime } = await stat(file);
    return { sizeBytes: size, modifiedAt: mtime };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
