import { mkdirSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseDigest } from '../../../oci/index.ts';

/** Where blobs and ingests are: `<root>/content/blobs/ALGORITHM/HEX`, `<root>/content/ingest/NUMBER`. A file under `blobs` is whole: it got there by rename after fsync. */
export class BlobFiles {
  readonly #blobs: string;
  readonly #ingests: string;
  readonly #damaged: string;

  constructor(root: string) {
    this.#blobs = path.join(root, 'content', 'blobs');
    this.#ingests = path.join(root, 'content', 'ingest');
    this.#damaged = path.join(root, 'content', 'damaged');
    for (const algorithm of ['sha256', 'sha384', 'sha512']) mkdirSync(path.join(this.#blobs, algorithm), { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
  }

  blob(digest: string): string {
    const { algorithm, hex } = parseDigest(digest);
    return path.join(this.#blobs, algorithm, hex);
  }

  ingest(id: number): string {
    return path.join(this.#ingests, String(id));
  }

  /** Size and time of a blob that is there, else undefined. */
  async stat(digest: string): Promise<{ readonly sizeBytes: number; readonly modifiedAt: Date } | undefined> {
    return await statFile(this.blob(digest));
  }

  async ingestSize(id: number): Promise<number> {
    return (await statFile(this.ingest(id)))?.sizeBytes ?? 0;
  }

  /** Gives the fsynced ingest its name among the blobs, so that it survives a power loss. */
  async publish(id: number, digest: string): Promise<void> {
    const blob = this.blob(digest);
    await rename(this.ingest(id), blob);
    await using directory = await open(path.dirname(blob), 'r');
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

  async removeBlob(digest: string): Promise<void> {
    await rm(this.blob(digest), { force: true });
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
