/** The files of an image archive, streamed into the content store: nothing is kept but what documents may say. */
import { isCode, randomId, StrakeError } from '../../base/index.ts';
import { isDigest } from '../../oci/index.ts';
import type { ContentStore, ContentWriter } from '../content/content.ts';
import { sniffLayer } from '../diff/sniff.ts';
import type { TarEntry } from '../diff/tar/entry.ts';
import { readTarEntries } from '../diff/tar/read-entries.ts';
import type { Lease } from '../garbage/leases.ts';
import { putPrefix } from '../images/put-blob.ts';
import { documentLimitBytes } from '../images/resolve-image.ts';
import { type OnLayer, readAway } from '../unpack/on-layer.ts';
import { indexFile, layoutFile, manifestFile } from './archive.ts';

/** A file of the archive, as a blob of the store. */
export interface ArchivedBlob {
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface ArchiveFiles {
  /** By the entry's name, links followed; undefined when there is none. */
  blob(name: string): ArchivedBlob | undefined;
  /** `index.json`, `manifest.json` or `oci-layout`; undefined when the archive has none. */
  document(name: string): Buffer | undefined;
}

/** Far more than the largest image has, and few enough to remember. */
const archiveLimits = { entries: 200_000, headerBytes: 1 << 20 };
/** A link that leads to a link, and so on: as many as the kernel follows. */
const maxLinks = 40;
/** Blobs being fsynced while the next are read. */
const maxCommits = 4;
const documents: readonly string[] = [layoutFile, indexFile, manifestFile];

/** Where blobs of an archive go. */
export interface ArchiveTarget {
  readonly content: ContentStore;
  /** Holds blobs before they are there. */
  readonly lease: Lease;
  /** Of every new blob that may be a layer. */
  readonly onLayer?: OnLayer | undefined;
}

/** Reads an unpacked archive to its end. What no image names goes with the next collection. */
export async function readArchive(source: AsyncIterable<Uint8Array>, target: ArchiveTarget, signal?: AbortSignal): Promise<ArchiveFiles> {
  const files = new Collected(target);
  try {
    for await (const { entry, content } of readTarEntries(source, archiveLimits)) {
      signal?.throwIfAborted();
      await files.take(entry, content);
    }
  } finally {
    await files.commits.settled();
  }
  files.commits.check();
  return files;
}

class Collected implements ArchiveFiles {
  readonly commits = new Commits();
  readonly #target: ArchiveTarget;
  readonly #blobs = new Map<string, ArchivedBlob>();
  readonly #links = new Map<string, string>();
  readonly #documents = new Map<string, Buffer>();

  constructor(target: ArchiveTarget) {
    this.#target = target;
  }

  blob(name: string): ArchivedBlob | undefined {
    let path = entryPath(name);
    for (let left = maxLinks; left > 0; left--) {
      const found = this.#blobs.get(path);
      const link = this.#links.get(path);
      if (found !== undefined || link === undefined) return found;
      path = link;
    }
    return undefined;
  }

  document(name: string): Buffer | undefined {
    return this.#documents.get(name);
  }

  async take(entry: TarEntry, data: AsyncIterable<Uint8Array>): Promise<void> {
    const name = entryPath(entry.name);
    if (entry.kind === 'symlink') this.#links.set(name, entryPath(`${parentOf(name)}/${entry.linkName}`));
    if (entry.kind === 'link') this.#links.set(name, entryPath(entry.linkName));
    if (entry.kind !== 'file' || isLegacy(name)) return;
    if (!documents.includes(name)) return await this.#store(name, entry.sizeBytes, data);
    if (entry.sizeBytes > documentLimitBytes)
      throw new StrakeError('OutOfRange', `${name} of the archive has ${entry.sizeBytes} bytes, at most ${documentLimitBytes} are read`, {
        fields: { layer: 'core' },
      });
    this.#documents.set(name, Buffer.concat(await Array.fromAsync(data)));
  }

  async #store(name: string, sizeBytes: number, data: AsyncIterable<Uint8Array>): Promise<void> {
    const { content, lease } = this.#target;
    const named = namedDigest(name);
    if (named !== undefined) lease.add(named);
    const writer = await blobWriter(content, named, sizeBytes);
    if (writer !== undefined && named !== undefined && writer.offsetBytes > 0)
      // Another namespace has it.
      await commitBlob(writer, named, name);
    else if (writer !== undefined) {
      await this.#write(writer, data);
      const digest = named ?? writer.digest();
      lease.add(digest);
      this.#blobs.set(name, { digest, sizeBytes: writer.offsetBytes });
      await this.commits.add(commitBlob(writer, digest, name));
      return;
    }
    this.#blobs.set(name, { digest: named ?? '', sizeBytes });
  }

  async #write(writer: ContentWriter, data: AsyncIterable<Uint8Array>): Promise<void> {
    const { content, onLayer = readAway } = this.#target;
    const written = (async function* () {
      for await (const bytes of data) {
        await writer.write(bytes);
        yield bytes;
      }
    })();
    try {
      const { source, compression } = await sniffLayer(written);
      if (compression === undefined) for await (const _ of source);
      else await onLayer({ bytes: source, compression, digest: () => writer.digest() });
    } catch (error) {
      await discard(content, writer);
      throw error;
    }
  }
}

/** Undefined when the blob is here. */
async function blobWriter(content: ContentStore, digest: string | undefined, expectedSizeBytes: number): Promise<ContentWriter | undefined> {
  try {
    return await content.writer({ ref: `${putPrefix}${randomId()}`, expectedSizeBytes, ...(digest === undefined ? {} : { expectedDigest: digest }) });
  } catch (error) {
    if (digest !== undefined && isCode(error, 'AlreadyExists')) return undefined;
    throw error;
  }
}

/** Blobs that are brought to the disk, a few at once, while the next are read. */
class Commits {
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  async add(commit: Promise<void>): Promise<void> {
    const running = commit
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    if (this.#running.size >= maxCommits) await Promise.race(this.#running);
    this.check();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Throws the first failure. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function commitBlob(writer: ContentWriter, digest: string, name: string): Promise<void> {
  try {
    await writer.commit({ digest });
  } catch (cause) {
    if (!isCode(cause, 'FailedPrecondition')) throw cause;
    throw new StrakeError('DataLoss', `${name} of the archive is damaged: ${(cause as Error).message}`, { cause, fields: { layer: 'core', digest } });
  } finally {
    await writer.close();
  }
}

async function discard(content: ContentStore, writer: ContentWriter): Promise<void> {
  await writer.close();
  try {
    await content.abort(writer.ref);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}

/** The digest that a file of an OCI layout is named by. */
function namedDigest(name: string): string | undefined {
  const match = /^blobs\/([^/]+)\/([^/]+)$/.exec(name);
  const digest = `${match?.[1]}:${match?.[2]}`;
  return isDigest(digest) ? digest : undefined;
}

/** What docker before 1.10 wrote, and others still do for its sake: nothing that an image needs. */
function isLegacy(name: string): boolean {
  return name === 'repositories' || /(?:^|\/)(?:VERSION|json)$/.test(name);
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** One spelling of a name: `./a//b/../c` → `a/c`. No file has it: it is a key. */
function entryPath(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
