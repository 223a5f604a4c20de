/** From what a name stands for to the image of one platform: index → manifest → configuration. */
import { isCode, StrakeError } from '../../base/index.ts';
import {
  chainIds,
  choosePlatform,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  type Manifest,
  parseImageConfig,
  parseImageDocument,
} from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { checkLayers, documentLimitBytes } from './resolve-image.ts';

export interface ImageLayer {
  readonly digest: string;
  readonly diffId: string;
  /** The key of its committed snapshot. */
  readonly chainId: string;
}

/** An image of one platform; immutable, since all of it follows from the target's digest. */
export interface ImageFacts {
  /** The configuration's digest: the image's id, for Docker and for Kubernetes. */
  readonly id: string;
  readonly target: Descriptor;
  readonly manifestDigest: string;
  readonly manifest: Manifest;
  /** Of documents and layers: what a registry transfers for it. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  /** The topmost layer's snapshot; undefined for an image without layers. */
  readonly chainId: string | undefined;
  /** Every blob that it is made of, target first. */
  readonly digests: readonly string[];
}

type Blobs = Pick<ContentStore, 'readAll'>;

/** The host's own platform is preferred, then any that is here (an image pulled for another platform). NotFound when none is. */
export async function readImageFacts(blobs: Blobs, target: Descriptor): Promise<ImageFacts> {
  const candidates = await manifestsOf(blobs, target);
  let missing: unknown;
  for (const digest of candidates) {
    try {
      return await readManifest(blobs, target, digest);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
      missing ??= error;
    }
  }
  throw new StrakeError('NotFound', `image ${target.digest} has no content for ${formatPlatform(hostPlatform())}`, {
    cause: missing,
    fields: { layer: 'core' },
  });
}

async function manifestsOf(blobs: Blobs, target: Descriptor): Promise<readonly string[]> {
  const document = parseImageDocument(await blobs.readAll(target.digest, documentLimitBytes), target.mediaType, `image ${target.digest}`);
  if (document.kind === 'manifest') return [target.digest];
  const { manifests } = document.index;
  const own = choosePlatform(manifests, ({ platform }) => platform, hostPlatform());
  const others = manifests.filter((manifest) => manifest !== own && manifest.platform?.os !== 'unknown');
  return [...(own === undefined ? [] : [own]), ...others].map(({ digest }) => digest);
}

async function readManifest(blobs: Blobs, target: Descriptor, manifestDigest: string): Promise<ImageFacts> {
  const what = `manifest ${manifestDigest}`;
  const bytes = await blobs.readAll(manifestDigest, documentLimitBytes);
  const document = parseImageDocument(bytes, undefined, what);
  if (document.kind !== 'manifest')
    throw new StrakeError('InvalidArgument', `${what}: an index within an index is not supported`, { fields: { layer: 'core' } });
  const { manifest } = document;
  const id = manifest.config.digest;
  const config = parseImageConfig(await blobs.readAll(id, documentLimitBytes), `image configuration ${id}`);
  const diffIds = config.rootfs.diff_ids;
  checkLayers(manifest, config, manifestDigest);
  const chain = chainIds(diffIds);
  const layers = manifest.layers.map(({ digest }, index) => ({ digest, diffId: diffIds[index] ?? '', chainId: chain[index] ?? '' }));
  const digests = [...new Set([target.digest, manifestDigest, id, ...layers.map(({ digest }) => digest)])];
  const indexBytes = manifestDigest === target.digest ? 0 : target.size;
  const sizeBytes = [manifest.config, ...manifest.layers].reduce((sum, { size }) => sum + size, indexBytes + bytes.length);
  return { id, target, manifestDigest, manifest, sizeBytes, config, layers, chainId: chain.at(-1), digests };
}
