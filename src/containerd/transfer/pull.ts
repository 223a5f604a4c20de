import type { ImageStore, OCIRegistry, UnpackConfiguration } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { canGoOn, resumableMs } from '../../distribution/index.ts';
import { canonicalName, type Descriptor, formatPlatform, hostPlatform, type Platform } from '../../oci/index.ts';
import { platformOf, platformsOf } from './ends.ts';
import { refOf } from './progress.ts';
import { remoteImage } from './registry-settings.ts';
import { givenNames } from './store-names.ts';
import type { Transfer } from './transfers.ts';

/** From a registry to the image store. */
export async function pull(transfer: Transfer, source: OCIRegistry, store: ImageStore): Promise<void> {
  const { call, means, progress } = transfer;
  const { stores, signal } = call;
  const from = `OCI Registry (${source.reference})`;
  progress.step({ event: `Resolving from ${from}` });
  const remote = await remoteImage(transfer, source);
  const name = canonicalName(remote.reference);
  progress.step({ event: `Pulling from ${from}` });
  progress.step({ event: 'fetching image content', name });
  const platforms = platformsOf(store.platforms);
  using lease = stores.leases.acquire({ name: `transfer ${name} ${platforms?.map(formatPlatform).join(' ') ?? 'all'}`, forMs: resumableMs });
  try {
    const target = await means.fetchTree({
      ...remote,
      content: stores.content,
      unpacker: stores.unpacker,
      platforms,
      allMetadata: store.allMetadata,
      ...(store.manifestLimit === 0 ? {} : { manifestLimit: store.manifestLimit }),
      unpacks: unpacksFor(store.unpacks, stores.snapshots.name),
      lease,
      onFound: (descriptor, parent) => progress.found(descriptor, parent ?? name),
      onEvent: (descriptor, event) => progress.moved(descriptor, event),
      signal,
    });
    await nameImage(transfer, target, store, givenNames(store, target.digest));
  } catch (error) {
    if (canGoOn(error, signal)) lease.keep();
    throw error;
  }
  progress.step({ event: `Completed pull from ${from}` });
  means.flush();
}

/** Whether the image of a platform is to be unpacked by our snapshotter. InvalidArgument for one that is not there. */
export function unpacksFor(unpacks: readonly UnpackConfiguration[], snapshotter: string): (platform: Platform) => boolean {
  for (const { snapshotter: wanted } of unpacks)
    if (wanted !== '' && wanted !== snapshotter)
      throw new StrakeError('InvalidArgument', `snapshotter not loaded: ${wanted}`, { fields: { layer: 'containerd' } });
  const wanted = new Set(unpacks.map(({ platform }) => formatPlatform(platform === undefined ? hostPlatform() : platformOf(platform))));
  return (platform) => wanted.has(formatPlatform(platform));
}

/** Gives an image its names, in place of what had them. NotFound when there is none to give. */
export async function nameImage({ call, progress }: Transfer, target: Descriptor, { labels }: ImageStore, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new StrakeError('NotFound', 'no image name found', { fields: { layer: 'containerd', digest: target.digest } });
  for (const name of names) {
    await call.stores.images.put({ name, target, labels });
    progress.step({ event: 'saved', name, descriptor: target, parents: [refOf(target)] });
  }
}
