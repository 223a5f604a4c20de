import { errorMessage } from '../base/index.ts';
import { type Descriptor, type Index, isDigest, type Manifest, mediaTypes, parseImageDocument } from '../oci/index.ts';
import { registryError } from './errors.ts';
import type { ManifestPart } from './store/catalogue.ts';

export interface ReadManifest {
  readonly mediaType: string;
  readonly subject: string | undefined;
  /** As the referrers list shows it (distribution-spec, "Listing Referrers"). */
  readonly descriptor: Descriptor;
  /** All that it names, for the garbage collection. */
  readonly parts: readonly ManifestPart[];
  /** What of it has to be there before it: layers that may not be distributed do not. */
  readonly required: readonly ManifestPart[];
}

/** Reads a manifest or an index that is pushed. Throws MANIFEST_INVALID. */
export function readManifest(bytes: Uint8Array, contentType: string | undefined, digest: string): ReadManifest {
  const said = contentType?.split(';', 1)[0]?.trim() || undefined;
  const document = parse(bytes, said);
  const own = document.kind === 'index' ? document.index.mediaType : document.manifest.mediaType;
  if (own !== undefined && said !== undefined && own !== said)
    throw registryError('MANIFEST_INVALID', `manifest names media type ${own}, but was given as ${said}`);
  const mediaType = own ?? said ?? (document.kind === 'index' ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  const body: Manifest | Index = document.kind === 'index' ? document.index : document.manifest;
  const subject = body.subject?.digest;
  if (body.subject !== undefined && !isDigest(subject)) throw registryError('MANIFEST_INVALID', 'the subject has no digest');
  const artifactType = body.artifactType || (document.kind === 'manifest' ? document.manifest.config.mediaType : undefined);
  const descriptor: Descriptor = {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
  };
  const named =
    document.kind === 'index'
      ? document.index.manifests.map((entry) => ({ kind: 'manifest' as const, entry }))
      : [document.manifest.config, ...document.manifest.layers].map((entry) => ({ kind: 'blob' as const, entry }));
  return {
    mediaType,
    subject,
    descriptor,
    parts: named.map(({ kind, entry }) => ({ kind, digest: entry.digest })),
    required: named.filter(({ entry }) => !isElsewhere(entry)).map(({ kind, entry }) => ({ kind, digest: entry.digest })),
  };
}

function parse(bytes: Uint8Array, said: string | undefined) {
  try {
    return parseImageDocument(bytes, said, 'manifest');
  } catch (cause) {
    throw registryError('MANIFEST_INVALID', errorMessage(cause), { cause });
  }
}

/** Layers that their makers give to nobody else to distribute (image-spec layer.md; Docker's foreign layers). */
function isElsewhere({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 || mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.');
}
