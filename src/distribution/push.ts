import { isCode, KeyedLock, Slots, StrakeError, shortId } from '../base/index.ts';
import type { ContentStore, Leases } from '../core/index.ts';
import { type Descriptor, familiarRepository, type Platform, parseReference, type Reference, withDefaultTag } from '../oci/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { PlainHosts } from './hosts/plain-hosts.ts';
import { defaultUploads } from './limits.ts';
import { type PullProgress, pushWords, uploadProgress } from './progress.ts';
import { type PlannedBlob, type PlannedDocument, planPush } from './push-plan.ts';
import { putManifest } from './registry/put-manifest.ts';
import { addFallbackReferrer } from './registry/referrers.ts';
import { RegistryClient, type RegistrySettings } from './registry/registry-client.ts';
import { type UploadOutcome, uploadBlob } from './registry/upload-blob.ts';
import { addSource, sourcesOf } from './sources.ts';

export interface PusherOptions extends RegistrySettings {
  readonly content: ContentStore;
  readonly leases: Leases;
  /** Blobs that are sent at once, of all pushes together; docker's max-concurrent-uploads. */
  readonly uploads?: number | undefined;
  /** A blob that is larger goes in so large requests; undefined: in one. */
  readonly chunkBytes?: number | undefined;
}

export interface PushOptions {
  /** Where to, as a user writes it: the tag is `latest` unless given; with a digest the content gets no tag. */
  readonly reference: string;
  /** What the name will stand for: a manifest or an index of the content store. */
  readonly target: Descriptor;
  /** Of an index, the manifest for this platform alone. */
  readonly platform?: Platform | undefined;
  readonly credentials?: Credentials | undefined;
  readonly progress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedImage {
  /** What the name stands for in the registry now. */
  readonly descriptor: Descriptor;
  /** `descriptor` is the only manifest of an index that is here, or that of the platform. */
  readonly isPart: boolean;
}

export type PushImage = (options: PushOptions) => Promise<PushedImage>;

interface Push {
  readonly options: PusherOptions;
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly slots: Slots;
  readonly locks: KeyedLock;
  readonly progress: (progress: PullProgress) => void;
  readonly signal: AbortSignal;
}

/** Pushes images out of the content store: blobs in parallel, each once, then the documents, so that a name never stands for what is not whole. */
export function createPusher(options: PusherOptions): PushImage {
  const slots = new Slots(options.uploads ?? defaultUploads);
  const locks = new KeyedLock();
  const plainHosts = new PlainHosts();
  return async ({ reference: text, target, platform, credentials, progress = () => undefined, signal }) => {
    const reference = withDefaultTag(parseReference(text));
    const client = new RegistryClient({ ...options, plainHosts, domain: reference.domain, credentials });
    using lease = options.leases.acquire();
    lease.add(target.digest);
    const plan = await planPush(options.content, target, platform);
    for (const { descriptor } of [...plan.documents, ...plan.blobs]) lease.add(descriptor.digest);
    progress({ status: `The push refers to repository [${familiarWithDomain(reference)}]` });
    const stop = new AbortController();
    const push: Push = {
      options,
      client,
      reference,
      slots,
      locks,
      progress,
      signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    };
    await pushBlobs(push, plan.blobs, stop);
    signal?.throwIfAborted();
    await pushDocuments(push, plan.documents);
    if (reference.tag !== undefined) progress({ status: `${reference.tag}: digest: ${plan.target.digest} size: ${plan.target.size}` });
    return { descriptor: plan.target, isPart: plan.isPart };
  };
}

/** The first failure stops the others, and is thrown once they have stopped. */
async function pushBlobs(push: Push, blobs: readonly PlannedBlob[], stop: AbortController): Promise<void> {
  for (const { shownAs } of blobs) if (shownAs !== undefined) push.progress({ id: shortId(shownAs), status: pushWords.preparing, progressDetail: none });
  let failure: { readonly error: unknown } | undefined;
  const pushes = blobs.map(async (blob) => {
    try {
      await pushBlob(push, blob);
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  });
  await Promise.all(pushes);
  if (failure) throw failure.error;
}

const none = { current: 0, total: 0 };

async function pushBlob(push: Push, { descriptor, shownAs }: PlannedBlob): Promise<void> {
  const { options, client, reference, slots, locks, signal } = push;
  const { domain, path: repository } = reference;
  const tell = (status: string) => shownAs !== undefined && push.progress({ id: shortId(shownAs), status, progressDetail: none });
  // Two pushes at once: the second finds it there.
  using _lock = await locks.take(`${domain}/${repository} ${descriptor.digest}`, signal);
  if (slots.full) tell(pushWords.waiting);
  using _slot = await slots.take(signal);
  const mountFrom = (await knownSources(options.content, domain, descriptor.digest)).findLast((path) => path !== repository);
  const outcome = await uploadBlob(client, {
    repository,
    blob: descriptor,
    mountFrom,
    // Not verified: the registry does that, and what it refuses is.
    read: (offset, length) => options.content.read(descriptor.digest, { offset, length, signal }),
    onProgress: shownAs === undefined ? undefined : uploadProgress(shortId(shownAs), descriptor.size, push.progress),
    chunkBytes: options.chunkBytes,
    signal,
  }).catch(async (error: unknown) => {
    if (isCode(error, 'InvalidArgument') || isCode(error, 'DataLoss')) await verify(options.content, descriptor.digest, signal);
    throw error;
  });
  tell(outcomeText(outcome, mountFrom));
  await remember(push, descriptor.digest);
}

function outcomeText(outcome: UploadOutcome, mountFrom: string | undefined): string {
  if (outcome === 'exists') return pushWords.exists;
  return outcome === 'mounted' ? `Mounted from ${mountFrom}` : pushWords.pushed;
}

/**
 * The registry refuses what it got, or it is not as long as it should be: when the blob here is damaged, that is to be said. One that was read as a whole
 * has said so already, and is gone.
 */
async function verify(content: ContentStore, digest: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of content.read(digest, { signal }));
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}

/** None for a blob that is not here: reading it says so. */
async function knownSources(content: ContentStore, domain: string, digest: string): Promise<readonly string[]> {
  try {
    return await sourcesOf(content, domain, digest);
  } catch (error) {
    if (isCode(error, 'NotFound')) return [];
    throw error;
  }
}

async function remember({ options, locks, reference }: Push, digest: string): Promise<void> {
  try {
    await addSource(options.content, locks, { domain: reference.domain, repository: reference.path, digest });
  } catch (error) {
    // Of a blob that the registry has and we have not there is nothing to remember.
    if (!isCode(error, 'NotFound')) throw error;
  }
}

async function pushDocuments({ client, reference, signal }: Push, documents: readonly PlannedDocument[]): Promise<void> {
  const { path: repository } = reference;
  for (const [index, { descriptor, bytes, subject }] of documents.entries()) {
    const isTarget = index === documents.length - 1;
    if (isTarget && reference.digest !== undefined && reference.digest !== descriptor.digest)
      throw new StrakeError('InvalidArgument', `${descriptor.digest} cannot be pushed as ${reference.digest}`, { fields: { layer: 'distribution' } });
    const name = isTarget && reference.digest === undefined ? (reference.tag ?? descriptor.digest) : descriptor.digest;
    const { knowsSubject } = await putManifest(client, { repository, name, descriptor, bytes, signal });
    if (subject !== undefined && !knowsSubject) await addFallbackReferrer(client, { repository, subject, descriptor, bytes, signal });
  }
}

/** docker says `docker.io/library/app` here, where it elsewhere says `app`. */
function familiarWithDomain(reference: Reference): string {
  return reference.domain === 'docker.io' ? `docker.io/${reference.path}` : familiarRepository(reference);
}
