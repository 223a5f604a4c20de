import type { ImageExportStream, ImageImportStream, ImageStore } from '../../api/containerd/index.ts';
import { isCode } from '../../base/index.ts';
import { type ArchivedImage, documentLimitBytes, type Lease, loadArchive, packImage, resolveImage, saveArchive, unpackFromContent } from '../../core/index.ts';
import { hostPlatform, parseImageDocument } from '../../oci/index.ts';
import { receiveBytes, sendBytes } from '../streaming/byte-stream.ts';
import { platformOf, platformsOf } from './ends.ts';
import { nameImage, unpacksFor } from './pull.ts';
import { givenNames, namesOfArchived, sourceNames } from './store-names.ts';
import { streamOf, type Transfer } from './transfers.ts';

/** From an archive that the client sends to the image store. */
export async function importImages(transfer: Transfer, source: ImageImportStream, store: ImageStore): Promise<void> {
  const { call, means, progress } = transfer;
  const { stores, signal } = call;
  unpacksFor(store.unpacks, stores.snapshots.name);
  progress.step({ event: 'Importing' });
  using lease = stores.leases.acquire();
  const archive = receiveBytes(streamOf(transfer, source.stream));
  const images = await loadArchive(archive, { content: stores.content, lease, limits: means.layerLimits, namesAsWritten: true, signal });
  for (const loaded of images) {
    const image = source.forceCompress ? await packed(transfer, loaded, lease) : loaded;
    // An archive of one image may be given its name from outside.
    const given = images.length === 1 ? givenNames(store, image.target.digest) : [];
    const names = [...given, ...namesOfArchived(store, image.names, image.target.digest)];
    if (names.length === 0) continue;
    await unpack(transfer, store, image, lease);
    await nameImage(transfer, image.target, store, names);
  }
  progress.step({ event: 'Completed import' });
  means.flush();
}

/** With its plain layers packed; an index stays as it is, for it names its manifests by their digests. */
async function packed({ call }: Transfer, image: ArchivedImage, lease: Lease): Promise<ArchivedImage> {
  const { stores, signal } = call;
  const { digest, mediaType } = image.target;
  const document = parseImageDocument(await stores.content.readAll(digest, documentLimitBytes), mediaType, digest);
  const target = document.kind === 'manifest' ? await packImage(stores.content, lease, document.manifest, signal) : undefined;
  return target === undefined ? image : { ...image, target };
}

/** Of the platforms that are asked for, those that the image has. */
async function unpack({ call }: Transfer, { unpacks }: ImageStore, { target }: ArchivedImage, lease: Lease): Promise<void> {
  const { stores, signal } = call;
  for (const { platform } of unpacks) {
    try {
      const image = await resolveImage(stores.content, target, platform === undefined ? hostPlatform() : platformOf(platform));
      for (const chainId of image.chainIds) lease.add(chainId);
      await unpackFromContent(stores.unpacker, stores.content, image, signal);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
}

/** From the image store to an archive that the client receives. Nothing is sent when something of an image is missing. */
export async function exportImages(transfer: Transfer, store: ImageStore, destination: ImageExportStream): Promise<void> {
  const { call, progress } = transfer;
  const { stores, signal } = call;
  const stream = streamOf(transfer, destination.stream);
  try {
    progress.step({ event: 'Exporting' });
    const records = await Promise.all(sourceNames(store).map(async (name) => await stores.images.get(name)));
    using lease = stores.leases.acquire();
    for (const { target } of records) lease.add(target.digest);
    const archive = await saveArchive({
      content: stores.content,
      images: records.map(({ name, target }) => ({ target, names: [name] })),
      platforms: destination.allPlatforms ? undefined : (platformsOf(destination.platforms) ?? [hostPlatform()]),
      layoutOnly: destination.skipCompatibilityManifest,
      distributableOnly: destination.skipNonDistributable,
      signal,
    });
    await sendBytes(stream, archive);
    progress.step({ event: 'Completed export' });
  } finally {
    stream.close();
  }
}

/** What comes goes back: for clients that want to know whether streams work. */
export async function echo(transfer: Transfer, source: ImageImportStream, destination: ImageExportStream): Promise<void> {
  await sendBytes(streamOf(transfer, destination.stream), receiveBytes(streamOf(transfer, source.stream)));
}
