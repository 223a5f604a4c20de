import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDigest, parseDigest } from '../../../oci/index.ts';

const algorithms = ['sha256', 'sha384', 'sha512'] as const;

/** Where blobs and ingests are: `<root>/content/blobs/ALGORITHM/HEX`, `<root>/content/ingest/NUMBER`. A file under `blobs` is whole: it got there by rename after fsync. */
export class BlobFiles {
  readonly #blobs: string;
  readonly #ingests: string;
  readonly #damaged: string;
  readonly #removed: string;
  #removals = 0;

  constructor(root: string) {
    this.#blobs = path.join(root, 'content', 'blobs');
    this.#ingests = path.join(root, 'content', 'ingest');
    this.#damaged = path.join(root, 'content', 'damaged');
    this.#removed = path.join(root, 'content', 'removed');
    for (const algorithm of algorithms) mkdirSync(path.join(this.#blobs, algorithm), { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
    mkdirSync(this.#removed, { recursive: true, mode: 0o700 });
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
    const stats = statSync(this.blob(digest), { throwIfNoEntry: false });
    return stats && { sizeBytes: stats.size, modifiedAt: stats.mtime };
  }

  /** Digests of the files that are there. */
  digests(): string[] {
    return algorithms.flatMap((algorithm) =>
      readdirSync(path.join(this.#blobs, algorithm))
        .map((hex) => `${algorithm}:${hex}`)
        .filter(isDigest),
    );
  }

  /** Numbers of the ingest files that are there. */
  async ingestIds(): Promise<number[]> {
    return (await readdir(this.#ingests)).map(Number).filter(Number.isSafeInteger);
  }

  async ingestSize(id: number): Promise<number> {
    return (await statFile(this.ingest(id)))?.sizeBytes ?? 0;
  }

  /** Gives the fsynced ingest its name among the blobs. Synchronous, so that nobody removes it before its record is written. */
  publish(id: number, digest: string): void {
    renameSync(this.ingest(id), this.blob(digest));
  }

  /** The name survives a power loss from here on. */
  async syncName(digest: string): Promise<void> {
    await using directory = await open(path.dirname(this.blob(digest)), 'r');
    await directory.sync();
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

async function statFile(file: string): Promise<{ readonly sizeBytes: number; readonly modifiedAt: Date } | undefined> {
  try {
    const { size, mtime } = await stat(file);
    return { sizeBytes: size, modifiedAt: mtime };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
