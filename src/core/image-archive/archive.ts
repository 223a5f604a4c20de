/**
 * Archives of images, as `docker save` and `docker load` have them: one tar that is an OCI layout (image-spec image-layout.md) and has docker's `manifest.json` beside it, so
 * that whoever reads either finds the same blobs. Layers are there once, packed as they are stored; so manifests and configurations keep their digests.
 */
import type { Descriptor } from '../../oci/index.ts';

/** An image and the names that it goes by in the archive. */
export interface ArchivedImage {
  /** A manifest or an index. */
  readonly target: Descriptor;
  /** canonical, such as `docker.io/library/busybox:latest` */
  readonly names: readonly string[];
}

export const layoutFile = 'oci-layout';
export const indexFile = 'index.json';
export const manifestFile = 'manifest.json';
export const layoutVersion = '1.0.0';

/** Where names stand in `index.json`: containerd's annotation for the whole name, image-spec's for the tag or, by other writers, the whole name. */
export const nameAnnotation = 'io.containerd.image.name';
export const refAnnotation = 'org.opencontainers.image.ref.name';

/** An entry of docker's `manifest.json`; paths are names of entries in the archive. */
export interface DockerManifestItem {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  /** Lowest first, one a diff id of the configuration. */
  readonly Layers: readonly string[];
}

/** `sha256:HEX` → `blobs/sha256/HEX` */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
