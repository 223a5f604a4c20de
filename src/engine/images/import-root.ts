import type { ProgressMessage } from '../../api/docker/index.ts';
import { composeImage, LayersAhead, putLayer } from '../../core/index.ts';
import { canonicalName, familiarName, hostPlatform, type ImageProcessConfig, type Platform, type Reference, withDefaultTag } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';
import { labels } from './images.ts';
import { type ImageWork, keepNameless, makeImage, unpackStored } from './store-image.ts';

export interface ImportOptions {
  readonly reference: Reference | undefined;
  /** Of the history's entry; Docker's words when empty. */
  readonly message: string;
  /** Where the archive is from, as the history tells it: `-` or a URL. */
  readonly from: string;
  readonly changes: readonly string[];
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
}

/** `docker import`: an image of one layer, made of an archive of a root filesystem. */
export async function* importRoot(work: ImageWork, archive: AsyncIterable<Uint8Array>, options: ImportOptions): AsyncGenerator<ProgressMessage> {
  yield { status: await makeImage(work, async () => await importArchive(work, archive, options)) };
}

/** Answers the image's id. */
async function importArchive(work: ImageWork, archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<string> {
  const { images, leases } = work;
  const { content, events, flush } = images.options;
  const { reference, message, from, changes, signal, platform = hostPlatform() } = options;
  const processConfig: ImageProcessConfig = applyChanges({}, changes);
  using lease = leases.acquire();
  await using ahead = new LayersAhead({ unpacker: work.unpacker, lease, parent: { chainId: undefined }, signal });
  const { descriptor, diffId } = await putLayer(content, lease, archive, { limits: work.layerLimits, signal, onLayer: ahead.unpack });
  const created = new Date().toISOString();
  const target = await composeImage(content, lease, {
    config: {
      created,
      ...platform,
      config: processConfig,
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created, comment: message === '' ? `Imported from ${from}` : message }],
    },
    layers: [descriptor],
  });
  const image = await unpackStored(work, target, { lease, ahead, signal });
  if (reference === undefined) await keepNameless(images, target);
  else await images.assign(canonicalName(withDefaultTag(reference)), target);
  flush();
  const name = reference === undefined ? image.id : familiarName(withDefaultTag(reference));
  events.publish({ type: 'image', action: 'import', id: name, attributes: { ...labels(image), name } });
  return image.id;
}
