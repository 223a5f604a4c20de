import { isCode } from '../../base/index.ts';
import { chainIds, type Descriptor, parseImageConfig, parseImageDocument } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { findBlob } from '../content/find-blob.ts';
import { gcLabels, type Labels } from '../garbage/reference-labels.ts';
import { documentLimitBytes } from '../images/resolve-image.ts';

/** Writes down as labels what the documents of an image refer to, as far as they are here: containerd's collector reads nothing else. */
export async function linkDocuments(content: ContentStore, target: Descriptor, snapshotter: string): Promise<void> {
  const found = await findBlob(content, target.digest);
  if (found === undefined || found.sizeBytes > documentLimitBytes) return;
  const bytes = await content.readAll(target.digest, documentLimitBytes);
  const parsed = readable(() => parseImageDocument(bytes, target.mediaType, target.digest));
  if (parsed === undefined) return;
  if (parsed.kind === 'index') {
    const { manifests } = parsed.index;
    await content.mergeLabels(target.digest, numbered('m', manifests));
    for (const manifest of manifests) await linkDocuments(content, manifest, snapshotter);
    return;
  }
  const { config, layers } = parsed.manifest;
  await content.mergeLabels(target.digest, { [`${gcLabels.contentRef}.config`]: config.digest, ...numbered('l', layers) });
  await linkConfig(content, config.digest, snapshotter);
}

/** What is no image configuration, as that of an artifact, refers to nothing. */
async function linkConfig(content: ContentStore, digest: string, snapshotter: string): Promise<void> {
  const found = await findBlob(content, digest);
  if (found === undefined || found.sizeBytes > documentLimitBytes) return;
  const bytes = await content.readAll(digest, documentLimitBytes);
  const top = readable(() => chainIds(parseImageConfig(bytes, digest).rootfs.diff_ids).at(-1));
  if (top !== undefined) await content.mergeLabels(digest, { [`${gcLabels.snapshotRef}${snapshotter}`]: top });
}

function numbered(name: string, descriptors: readonly Descriptor[]): Labels {
  return Object.fromEntries(descriptors.map(({ digest }, index) => [`${gcLabels.contentRef}.${name}.${index}`, digest]));
}

/** Undefined for what cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isCode(error, 'InvalidArgument') || isCode(error, 'Unimplemented')) return undefined;
    throw error;
  }
}
