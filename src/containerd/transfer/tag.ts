import type { ImageStore } from '../../api/containerd/index.ts';
import { resolveImage, unpackFromContent } from '../../core/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import { platformOf } from './ends.ts';
import { nameImage, unpacksFor } from './pull.ts';
import { givenNames } from './store-names.ts';
import type { Transfer } from './transfers.ts';

/** Within the image store: another name for an image, and snapshots of it where the destination asks for some. */
export async function tag(transfer: Transfer, source: ImageStore, destination: ImageStore): Promise<void> {
  const { stores, signal } = transfer.call;
  const { target } = await stores.images.get(source.name);
  using lease = stores.leases.acquire();
  lease.add(target.digest);
  // Whoever asks for what cannot be unpacked hears so before anything is done.
  unpacksFor(destination.unpacks, stores.snapshots.name);
  for (const { platform } of destination.unpacks) {
    const image = await resolveImage(stores.content, target, platform === undefined ? hostPlatform() : platformOf(platform));
    for (const chainId of image.chainIds) lease.add(chainId);
    await unpackFromContent(stores.unpacker, stores.content, image, signal);
  }
  await nameImage(transfer, target, destination, givenNames(destination, target.digest));
}
