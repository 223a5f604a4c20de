import { isCode, StrakeError } from '../../base/index.ts';
import {
  chainIds,
  choosePlatform,
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseImageDocument,
} from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';

/** Manifests and configurations are read whole; larger ones are refused. */
export const documentLimitBytes = 4 << 20;

/** An image as it runs on one platform. */
export interface ResolvedImage {
  /** Of the manifest itself, not of an index above it. */
  readonly manifestDescriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Snapshot names of the layers, lowest first. */
  readonly chainIds: readonly string[];
}

/** Reads manifest and configuration of an image. NotFound when they, or a manifest for the platform, are missing. */
export async function resolveImage(content: ContentStore, target: Descriptor, platform: Platform): Promise<ResolvedImage> {
  const document = await readDocument(content, target);
  if (document.kind === 'manifest') return await resolveManifest(content, target, document.manifest);
  const chosen = chooseManifest(document.index.manifests, platform, target.digest);
  const inner = await readDocument(content, chosen);
  if (inner.kind === 'index') throw new StrakeError('InvalidArgument', `index ${target.digest} names another index`, { fields: { layer: 'core' } });
  return await resolveManifest(content, chosen, inner.manifest);
}

/** Every image that is here of what a name stands for: of an index those whose manifest and configuration are here. */
export async function* resolveEvery(content: ContentStore, target: Descriptor): AsyncGenerator<ResolvedImage> {
  const document = await readDocument(content, target);
  if (document.kind === 'manifest') {
    yield await resolveManifest(content, target, document.manifest);
    return;
  }
  for (const descriptor of document.index.manifests)
    try {
      const inner = await readDocument(content, descriptor);
      if (inner.kind === 'manifest') yield await resolveManifest(content, descriptor, inner.manifest);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
}

/** The manifest of an index for a platform; NotFound when there is none. */
export function chooseManifest(manifests: readonly Descriptor[], platform: Platform, name: string): Descriptor {
  const chosen = choosePlatform(manifests, (entry) => entry.platform, platform);
  if (chosen === undefined)
    throw new StrakeError('NotFound', `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`, {
      fields: { layer: 'core', digest: name },
    });
  return chosen;
}

/** Checks that a configuration fits its manifest: one diff id a layer. */
export function checkLayers(manifest: Manifest, config: ImageConfig, name: string): void {
  const diffIds = config.rootfs.diff_ids.length;
  if (manifest.layers.length !== diffIds)
    throw new StrakeError('InvalidArgument', `manifest ${name} has ${manifest.layers.length} layers, its configuration ${diffIds} diff ids`, {
      fields: { layer: 'core' },
    });
}

async function readDocument(content: ContentStore, { digest, mediaType }: Descriptor) {
  return parseImageDocument(await content.readAll(digest, documentLimitBytes), mediaType, digest);
}

async function resolveManifest(content: ContentStore, manifestDescriptor: Descriptor, manifest: Manifest): Promise<ResolvedImage> {
  const config = parseImageConfig(await content.readAll(manifest.config.digest, documentLimitBytes), manifest.config.digest);
  checkLayers(manifest, config, manifestDescriptor.digest);
  return { manifestDescriptor, manifest, config, chainIds: chainIds(config.rootfs.diff_ids) };
}
