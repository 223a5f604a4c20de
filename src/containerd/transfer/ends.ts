/** The two ends of a transfer, as the client's messages say them. */
import type { Any } from '@bufbuild/protobuf/wkt';
import type { Platform as WirePlatform } from '../../api/containerd/index.ts';
import {
  type ImageExportStream,
  ImageExportStreamSchema,
  type ImageImportStream,
  ImageImportStreamSchema,
  type ImageStore,
  ImageStoreSchema,
  type Mount,
  MountSchema,
  type OCIRegistry,
  OCIRegistrySchema,
  type ReadStream,
  ReadStreamSchema,
  type WriteStream,
  WriteStreamSchema,
} from '../../api/containerd/index.ts';
import { normalizePlatform, type Platform } from '../../oci/index.ts';
import { typeOf, unpackAny } from '../any.ts';

/** `read-layer` and `write-layer` are streams of one layer; `mount` is a snapshot's. */
export type End =
  | { readonly kind: 'registry'; readonly message: OCIRegistry }
  | { readonly kind: 'store'; readonly message: ImageStore }
  | { readonly kind: 'import'; readonly message: ImageImportStream }
  | { readonly kind: 'export'; readonly message: ImageExportStream }
  | { readonly kind: 'read-layer'; readonly message: ReadStream }
  | { readonly kind: 'write-layer'; readonly message: WriteStream }
  | { readonly kind: 'mount'; readonly message: Mount }
  | { readonly kind: 'unknown' };

const kinds = [
  ['registry', OCIRegistrySchema],
  ['store', ImageStoreSchema],
  ['import', ImageImportStreamSchema],
  ['export', ImageExportStreamSchema],
  ['read-layer', ReadStreamSchema],
  ['write-layer', WriteStreamSchema],
  ['mount', MountSchema],
] as const;

export function endOf(any: Any | undefined): End {
  if (any === undefined) return { kind: 'unknown' };
  const known = kinds.find(([, schema]) => schema.typeName === typeOf(any));
  if (known === undefined) return { kind: 'unknown' };
  const [kind, schema] = known;
  return { kind, message: unpackAny(any, schema) } as End;
}

/** As containerd's messages call the ends. */
export function endName(end: End): string {
  if (end.kind === 'registry') return `OCI Registry (${end.message.reference})`;
  return end.kind === 'store' ? `Local Image Store (${end.message.name})` : end.kind;
}

export function platformOf({ os, architecture, variant, osVersion, osFeatures }: WirePlatform): Platform {
  return normalizePlatform({
    os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(osVersion === '' ? {} : { 'os.version': osVersion }),
    ...(osFeatures.length === 0 ? {} : { 'os.features': osFeatures }),
  });
}

/** Undefined for none, which stands for all. */
export function platformsOf(platforms: readonly WirePlatform[]): readonly Platform[] | undefined {
  return platforms.length === 0 ? undefined : platforms.map(platformOf);
}
