import { errorMessage, gather, isCode, type Logger, StrakeError, untilAborted } from '../../base/index.ts';
import { holdsBlob, putBlob } from '../../core/index.ts';
import { readManifest } from '../manifest.ts';
import { parseManifestName } from '../names.ts';
import type { Storage } from '../store/storage.ts';
import { Channel } from './channel.ts';
import type { Upstream } from './upstream.ts';

export interface PullThroughOptions {
  readonly storage: Storage;
  readonly upstream: Upstream;
  readonly log: Logger;
  readonly onLookup?: (found: 'here' | 'upstream') => void;
}

/** What a client gets while it is stored. */
export interface PassingBlob {
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Pieces of 256 KiB that a download is ahead of its client. */
const ahead = 8;

/**
 * Brings what is asked for from another registry, once, and keeps it: by digest for good, by tag after asking whether it still stands for the same. What is
 * here is served when the other registry is not there.
 */
export class PullThrough implements AsyncDisposable {
  readonly #options: PullThroughOptions;
  readonly #onLookup: (found: 'here' | 'upstream') => void;
  /** Blobs on their way here. */
  readonly #downloads = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(options: PullThroughOptions) {
    this.#options = options;
    this.#onLookup = options.onLookup ?? (() => undefined);
  }

  /** After this, the manifest is here if it is anywhere. */
  async manifest(repository: string, reference: string, signal: AbortSignal): Promise<void> {
    const { storage, upstream, log } = this.#options;
    const name = parseManifestName(reference);
    const here = 'digest' in name ? storage.catalogue.manifest(repository, name.digest) : storage.catalogue.taggedManifest(repository, name.tag);
    try {
      if (here !== undefined && ('digest' in name || (await upstream.resolve(repository, name.tag, signal)) === here.digest)) this.#onLookup('here');
      else await this.#fetchManifest(repository, name, signal);
    } catch (error) {
      if (here !== undefined && !isCode(error, 'Canceled'))
        log.warn(`served from here: ${errorMessage(error)}`, { upstream: upstream.name, repository, reference });
      else if (!isCode(error, 'NotFound')) throw unreachable(error);
    }
  }

  /** After this, the blob is here if it is anywhere; or it is on its way, and passes by here: then that is the answer. */
  async blob(repository: string, digest: string, mayPass: boolean, signal: AbortSignal): Promise<PassingBlob | undefined> {
    const { catalogue, content } = this.#options.storage;
    if (catalogue.hasBlob(repository, digest) && (await holdsBlob(content, digest))) {
      this.#onLookup('here');
      return undefined;
    }
    try {
      return await this.#fetchBlob(repository, digest, mayPass, signal);
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw unreachable(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new StrakeError('Canceled', 'the registry is closing', { fields: { layer: 'registry' } }));
    await Promise.allSettled(this.#downloads.values());
  }

  async #fetchManifest(repository: string, name: { readonly tag: string } | { readonly digest: string }, signal: AbortSignal): Promise<void> {
    const { storage, upstream } = this.#options;
    const { catalogue, content, locks } = storage;
    const { descriptor, bytes } = await upstream.manifest(repository, name, signal);
    this.#onLookup('upstream');
    const { digest } = descriptor;
    const manifest = readManifest(bytes, descriptor.mediaType, digest);
    await locks.run(digest, async () => {
      await putBlob(content, descriptor, bytes);
      catalogue.putManifest({ repository, digest, sizeBytes: bytes.length, tags: 'tag' in name ? [name.tag] : [], ...manifest });
    });
  }

  async #fetchBlob(repository: string, digest: string, mayPass: boolean, signal: AbortSignal): Promise<PassingBlob | undefined> {
    const { catalogue, content, locks } = this.#options.storage;
    // Asked first whatever is here: another repository's content is for this one only if the other registry says so.
    const sizeBytes = await this.#options.upstream.blobSize(repository, digest, signal);
    this.#onLookup('upstream');
    const linked = await locks.run(digest, async () => {
      if (!(await holdsBlob(content, digest))) return false;
      catalogue.linkBlob(repository, digest, sizeBytes);
      return true;
    });
    if (linked) return undefined;
    const running = this.#downloads.get(digest);
    if (running === undefined) {
      const channel = new Channel<Uint8Array>(ahead);
      const done = this.#start(repository, digest, sizeBytes, channel);
      if (mayPass) return { sizeBytes, body: channel };
      channel.leave();
      await untilAborted(done, signal);
    } else await untilAborted(running, signal);
    catalogue.linkBlob(repository, digest, sizeBytes);
    return undefined;
  }

  #start(repository: string, digest: string, sizeBytes: number, channel: Channel<Uint8Array>): Promise<void> {
    const download = this.#download(repository, digest, sizeBytes, channel)
      .then(
        () => channel.end(),
        (error: unknown) => {
          channel.fail(error);
          throw error;
        },
      )
      .finally(() => this.#downloads.delete(digest));
    // Who waits for it is told; when nobody does, the next who asks tries again.
    download.catch((error: unknown) => this.#options.log.warn(`blob ${digest} is not kept: ${errorMessage(error)}`));
    this.#downloads.set(digest, download);
    return download;
  }

  /** Goes on after its client has left: the next one wants it too. */
  async #download(repository: string, digest: string, sizeBytes: number, channel: Channel<Uint8Array>): Promise<void> {
    const { storage, upstream } = this.#options;
    const { catalogue, content, locks } = storage;
    await using writer = await content.writer({ ref: `cache-${digest}`, expectedDigest: digest, expectedSizeBytes: sizeBytes });
    // A beginning that an earlier try left would not pass by: it comes again.
    if (writer.offsetBytes > 0) await writer.truncate();
    // The last piece is held back until all is verified and here: nobody gets the whole of what is not what it says.
    let held: Uint8Array | undefined;
    for await (const chunk of gather(upstream.blob(repository, digest, sizeBytes, this.#stopped.signal))) {
      await writer.write(chunk);
      if (held !== undefined) await channel.push(held);
      held = chunk;
    }
    await locks.run(digest, async () => {
      await writer.commit({});
      catalogue.linkBlob(repository, digest, sizeBytes);
    });
    if (held !== undefined) await channel.push(held);
  }
}

/** What the other registry refuses to us is nothing that the client could log in for. */
function unreachable(cause: unknown): unknown {
  if (isCode(cause, 'Canceled') || (cause instanceof StrakeError && cause.fields['registryCode'] !== undefined)) return cause;
  return new StrakeError('Unavailable', `the registry behind this cache: ${errorMessage(cause)}`, { cause, fields: { layer: 'registry' } });
}
