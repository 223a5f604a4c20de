import type { ProgressMessage } from '../../api/docker/index.ts';
import { isCode, StrakeError, shortId } from '../../base/index.ts';
import { type ArchivedImage, type ContentStore, type LayerEvent, LayersAhead, type Lease, loadArchive, resolveImage } from '../../core/index.ts';
import { choosePlatform, formatPlatform, type Platform } from '../../oci/index.ts';
import { familiar } from './image.ts';
import { labels } from './images.ts';
import { MessageQueue } from './message-queue.ts';
import { formatProgress } from './progress.ts';
import { type ImageWork, keepNameless, makeImage, unpackStored } from './store-image.ts';

export interface LoadOptions {
  /** No progress of layers. */
  readonly quiet: boolean;
  /** Only images of this platform. */
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
}

/** `docker load`: stores and unpacks the images of an archive, and gives them the names that they have there. Says so in Docker's words. */
export async function* loadImages(work: ImageWork, archive: AsyncIterable<Uint8Array>, options: LoadOptions): AsyncGenerator<ProgressMessage> {
  const messages = new MessageQueue();
  const loaded = makeImage(work, async () => await load(work, archive, options, (message) => messages.push(message))).finally(() => messages.end());
  loaded.catch(() => {});
  yield* messages;
  await loaded;
}

async function load(work: ImageWork, archive: AsyncIterable<Uint8Array>, options: LoadOptions, tell: (message: ProgressMessage) => void): Promise<void> {
  using lease = work.leases.acquire();
  const { content, flush } = work.images.options;
  const { signal, platform } = options;
  await using ahead = new LayersAhead({ unpacker: work.unpacker, lease, signal });
  const wanted = await ofPlatform(content, await loadArchive(archive, { content, lease, onLayer: ahead.unpack, limits: work.layerLimits, signal }), platform);
  if (platform !== undefined && wanted.length === 0)
    throw new StrakeError('NotFound', `no image of the archive is for platform ${formatPlatform(platform)}`, { fields: { layer: 'engine' } });
  const nameless: string[] = [];
  for (const image of wanted) {
    const id = await loadImage(work, image, { lease, ahead }, options, tell);
    if (image.names.length === 0) nameless.push(id);
  }
  flush();
  for (const id of nameless) tell({ stream: `Loaded image ID: ${id}\n` });
}

/** Of an index, the manifest of the platform; an image of another one is left out. */
async function ofPlatform(content: ContentStore, images: readonly ArchivedImage[], platform: Platform | undefined): Promise<readonly ArchivedImage[]> {
  if (platform === undefined) return images;
  const wanted: ArchivedImage[] = [];
  for (const image of images) {
    const { manifestDescriptor, config } = (await orAbsent(resolveImage(content, image.target, platform))) ?? {};
    if (manifestDescriptor === undefined || config === undefined || choosePlatform([config], (candidate) => candidate, platform) === undefined) continue;
    const { mediaType, digest, size } = manifestDescriptor;
    wanted.push({ target: { mediaType, digest, size }, names: image.names });
  }
  return wanted;
}

async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isCode(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Answers the image's id. */
async function loadImage(
  work: ImageWork,
  { target, names }: ArchivedImage,
  held: { readonly lease: Lease; readonly ahead: LayersAhead },
  { quiet, signal }: LoadOptions,
  tell: (message: ProgressMessage) => void,
): Promise<string> {
  const { images } = work;
  const onLayer = quiet ? undefined : layerLines(tell);
  const image = await unpackStored(work, target, { ...held, signal, ...(onLayer === undefined ? {} : { onLayer }) });
  for (const name of names) {
    const before = await images.record(name);
    const shown = familiar(name);
    if (before !== undefined && before.target.digest !== target.digest) {
      const { id } = await images.read(before.target);
      if (id !== image.id) tell({ stream: `The image ${shown} already exists, renaming the old one with ID ${id} to empty string\n` });
    }
    await images.assign(name, target);
    tell({ stream: `Loaded image: ${shown}\n` });
  }
  if (names.length === 0) await keepNameless(images, target);
  images.options.events.publish({ type: 'image', action: 'load', id: image.id, attributes: { ...labels(image), name: image.id } });
  return image.id;
}

/** As often as a terminal shows. */
const intervalMs = 100;

/** Docker's line for a layer that is being unpacked; one that is here already has none. */
function layerLines(tell: (message: ProgressMessage) => void): (diffId: string, event: LayerEvent) => void {
  const nextAtMs = new Map<string, number>();
  return (diffId, event) => {
    if (event.state !== 'extracting') return;
    const { currentBytes: current, totalBytes: total } = event;
    const now = performance.now();
    if (now < (nextAtMs.get(diffId) ?? 0) && current < total) return;
    nextAtMs.set(diffId, now + intervalMs);
    tell({ status: 'Loading layer', progressDetail: { current, total }, progress: formatProgress(current, total), id: shortId(diffId) });
  };
}
