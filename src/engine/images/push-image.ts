/** `docker push`: names of here as names of a registry. */
import type { ProgressMessage } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import { type Lease, packImage } from '../../core/index.ts';
import type { Credentials, PullProgress, PushImage } from '../../distribution/index.ts';
import {
  type Descriptor,
  familiarName,
  familiarRepository,
  type Platform,
  type Reference,
  repositoryName,
  storeName,
  withDefaultTag,
} from '../../oci/index.ts';
import { type EngineImage, isDangling, isDigestName, repositoryOf } from './image.ts';
import { labels } from './images.ts';
import { MessageQueue } from './message-queue.ts';
import { progressMessage } from './progress.ts';
import { describePushFailure } from './push-failure.ts';
import type { ImageWork } from './store-image.ts';

export interface PushOptions {
  readonly platform?: Platform | undefined;
  readonly credentials?: Credentials | undefined;
  readonly signal: AbortSignal;
}

/** Without a tag: all tags of the repository. */
export async function* pushImage(work: ImageWork, push: PushImage, reference: Reference, options: PushOptions): AsyncGenerator<ProgressMessage> {
  yield { status: `${headline}[${reference.domain}/${reference.path}]` };
  const references = await taggedReferences(work, reference);
  const messages = new MessageQueue();
  const pushed = pushAll(work, push, references, options, (message) => messages.push(message)).finally(() => messages.end());
  pushed.catch(() => {});
  yield* messages;
  await pushed;
}

/** The first line, once for all tags. */
const headline = 'The push refers to repository ';

async function taggedReferences({ images }: ImageWork, reference: Reference): Promise<readonly Reference[]> {
  const records = await images.options.store.list();
  const wanted = repositoryName(reference);
  const found =
    reference.tag !== undefined || reference.digest !== undefined
      ? records.filter(({ name }) => name === storeName(reference))
      : records.filter(({ name }) => !isDangling(name) && !isDigestName(name) && repositoryOf(name) === wanted);
  if (found.length === 0) {
    const isTagMissing = reference.tag !== undefined && records.some(({ name }) => !isDangling(name) && repositoryOf(name) === wanted);
    const message = isTagMissing
      ? `tag does not exist: ${familiarName(reference)}`
      : `An image does not exist locally with the tag: ${familiarRepository(reference)}`;
    throw new StrakeError('NotFound', message, { fields: { layer: 'engine' } });
  }
  if (reference.digest !== undefined) throw new StrakeError('InvalidArgument', 'cannot push a digest reference', { fields: { layer: 'engine' } });
  return found.map(({ name }) => ({ ...reference, tag: name.slice(wanted.length + 1) }));
}

async function pushAll(
  work: ImageWork,
  push: PushImage,
  references: readonly Reference[],
  options: PushOptions,
  tell: (message: ProgressMessage) => void,
): Promise<void> {
  for (const reference of references) {
    try {
      await pushOne(work, push, reference, options, tell);
    } catch (error) {
      throw describePushFailure(error);
    }
  }
}

async function pushOne(work: ImageWork, push: PushImage, reference: Reference, options: PushOptions, tell: (message: ProgressMessage) => void): Promise<void> {
  const { images, leases } = work;
  using lease = leases.acquire();
  const name = familiarName(withDefaultTag(reference));
  const target = await packedTarget(work, lease, await images.get(name), options.signal);
  const progress = (event: PullProgress) => event.status.startsWith(headline) || tell(progressMessage(event));
  const { descriptor, isPart } = await push({ ...options, reference: storeName(reference), target, progress });
  if (isPart && options.platform === undefined)
    tell({ progressDetail: {}, aux: { manifestPushedInsteadOfIndex: true, originalIndex: target, selectedManifest: descriptor } });
  tell({ progressDetail: {}, aux: { Tag: reference.tag, Digest: descriptor.digest, Size: descriptor.size } });
  // A part of an index is no image of here: its name would outlive those of the image.
  if (descriptor.digest === target.digest) await images.assign(`${repositoryName(reference)}@${descriptor.digest}`, target);
  images.options.flush();
  const image = await images.read(target);
  images.options.events.publish({ type: 'image', action: 'push', id: name, attributes: { ...labels(image), name: familiarRepository(reference) } });
}

/**
 * What a registry has is pushed as it is, so that its digest stays. What was made here has layers that are not packed: they are for the registry, and all names of the image then
 * stand for what the registry has.
 */
async function packedTarget({ images }: ImageWork, lease: Lease, image: EngineImage, signal: AbortSignal): Promise<Descriptor> {
  const { store, content } = images.options;
  const records = (await store.list()).filter(({ target }) => target.digest === image.target.digest);
  if (image.manifestDigest !== image.target.digest || records.some(({ name }) => isDigestName(name) && !isDangling(name))) return image.target;
  const packed = await packImage(content, lease, image.manifest, signal);
  if (packed === undefined) return image.target;
  for (const record of records) await store.put({ name: record.name, target: packed, labels: record.labels });
  return packed;
}
