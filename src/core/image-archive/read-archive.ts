/** The files of an image archive, streamed into the content store: nothing is kept but what documents may say. */
import { isCode, randomId, StrakeError } from '../../base/index.ts';
import { Digester, isDigest } from '../../oci/index.ts';
import type { ContentStore, ContentWriter } from '../content/content.ts';
import type { TarEntry } from '../diff/tar/entry.ts';
import { readTarEvents, type TarEvent } from '../diff/tar/read-events.ts';
import type { Lease } from '../garbage/leases.ts';
import { putPrefix } from '../images/put-blob.ts';
import { documentLimitBytes } from '../images/resolve-image.ts';
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

/** Reads an unpacked archive to its end. Blobs are held by `lease` before they are there; what no image names goes with the next collection. */
export async function readArchive(source: AsyncIterable<Uint8Array>, content: ContentStore, lease: Lease, signal?: AbortSignal): Promise<ArchiveFiles> {
  const files = new Collected(content, lease);
  try {
    for await (const event of readTarEvents(source, archiveLimits)) {
      signal?.throwIfAborted();
      await files.take(event);
    }
    await files.finish();
  } catch (error) {
    await files.abandon();
    throw error;
  }
  return files;
}

/** Where the data of the entry goes that is being read. */
type Sink =
  | { readonly to: 'nowhere' }
  | { readonly to: 'memory'; readonly name: string; readonly parts: Uint8Array[] }
  | {
      readonly to: 'store';
      readonly name: string;
      readonly writer: ContentWriter;
      readonly digest: string | undefined;
      readonly digester: Digester | undefined;
    };

class Collected implements ArchiveFiles {
  readonly #content: ContentStore;
  readonly #lease: Lease;
  readonly #blobs = new Map<string, ArchivedBlob>();
  readonly #links = new Map<string, string>();
  readonly #documents = new Map<string, Buffer>();
  readonly #commits = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #sink: Sink = { to: 'nowhere' };

  constructor(content: ContentStore, lease: Lease) {
    this.#content = content;
    this.#lease = lease;
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

  async take(event: TarEvent): Promise<void> {
    if (event.kind === 'entry') {
      await this.finishEntry();
      this.#sink = await this.#begin(event.entry);
    } else if (this.#sink.to === 'memory') this.#sink.parts.push(Buffer.from(event.bytes));
    else if (this.#sink.to === 'store') {
      this.#sink.digester?.update(event.bytes);
      await this.#sink.writer.write(event.bytes);
    }
  }

  async finishEntry(): Promise<void> {
    const sink = this.#sink;
    this.#sink = { to: 'nowhere' };
    if (sink.to === 'memory') this.#documents.set(sink.name, Buffer.concat(sink.parts));
    if (sink.to !== 'store') return;
    const digest = sink.digest ?? sink.digester?.digest() ?? '';
    this.#lease.add(digest);
    this.#blobs.set(sink.name, { digest, sizeBytes: sink.writer.offsetBytes });
    const commit = commitBlob(sink.writer, digest, sink.name)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#commits.delete(commit));
    this.#commits.add(commit);
    if (this.#commits.size >= maxCommits) await Promise.race(this.#commits);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async finish(): Promise<void> {
    await this.finishEntry();
    await Promise.all(this.#commits);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async abandon(): Promise<void> {
    if (this.#sink.to === 'store') await discard(this.#content, this.#sink.writer);
    await Promise.all(this.#commits);
  }

  async #begin(entry: TarEntry): Promise<Sink> {
    const name = entryPath(entry.name);
    if (entry.kind === 'symlink') this.#links.set(name, entryPath(`${parentOf(name)}/${entry.linkName}`));
    if (entry.kind === 'link') this.#links.set(name, entryPath(entry.linkName));
    if (entry.kind !== 'file' || isLegacy(name)) return { to: 'nowhere' };
    if (documents.includes(name)) {
      if (entry.sizeBytes > documentLimitBytes)
        throw new StrakeError('OutOfRange', `${name} of the archive has ${entry.sizeBytes} bytes, at most ${documentLimitBytes} are read`, {
          fields: { layer: 'core' },
        });
      return { to: 'memory', name, parts: [] };
    }
    return await this.#beginBlob(name, entry.sizeBytes);
  }

  async #beginBlob(name: string, sizeBytes: number): Promise<Sink> {
    const digest = namedDigest(name);
    if (digest !== undefined) this.#lease.add(digest);
    try {
      const writer = await this.#content.writer({
        ref: `${putPrefix}${randomId()}`,
        expectedSizeBytes: sizeBytes,
        ...(digest === undefined ? {} : { expectedDigest: digest }),
      });
      if (digest !== undefined && writer.offsetBytes > 0) {
        // Another namespace has it.
        await commitBlob(writer, digest, name);
        this.#blobs.set(name, { digest, sizeBytes });
        return { to: 'nowhere' };
      }
      return { to: 'store', name, writer, digest, digester: digest === undefined ? new Digester() : undefined };
    } catch (error) {
      if (digest === undefined || !isCode(error, 'AlreadyExists')) throw error;
      this.#blobs.set(name, { digest, sizeBytes });
      return { to: 'nowhere' };
    }
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
