import { StrakeError } from '../../base/index.ts';
import { documentLimitBytes } from '../../core/index.ts';
import {
  type Descriptor,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  mediaTypes,
  parseDigest,
  parseImageDocument,
  type Reference,
} from '../../oci/index.ts';
import { readLimited } from '../http/read-limited.ts';
import type { HttpResponse } from '../http/request.ts';
import type { RegistryClient } from './registry-client.ts';
import { pullScope } from './registry-request.ts';

export interface FetchedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const acceptedTypes = [mediaTypes.ociIndex, mediaTypes.dockerIndex, mediaTypes.ociManifest, mediaTypes.dockerManifest].join(', ');

/** Manifest or index of a reference, verified against the digest that was asked for and the one that the registry names. */
export async function fetchDocument(client: RegistryClient, reference: Reference, signal?: AbortSignal): Promise<FetchedDocument> {
  const name = reference.digest ?? reference.tag ?? 'latest';
  const what = `manifest ${reference.path}:${name}`;
  const response = await client.request({
    target: `${reference.path}/manifests/${name}`,
    capability: reference.digest === undefined ? 'resolve' : 'pull',
    scopes: [pullScope(reference.path)],
    headers: { accept: acceptedTypes },
    signal,
  });
  const bytes = await readLimited(response, documentLimitBytes, what);
  const header = headerText(response, 'docker-content-digest');
  if (!(header === undefined || isDigest(header))) throw badReply(`${what}: the registry names ${JSON.stringify(`${header}`.slice(0, 160))} as its digest`);
  const digest = digestOf(bytes, parseDigest(reference.digest ?? header ?? digestOf('')).algorithm);
  for (const wanted of [reference.digest, header])
    if (wanted !== undefined && wanted !== digestOf(bytes, parseDigest(wanted).algorithm))
      throw badReply(`${what}: content has digest ${digest}, not ${wanted}`);
  const type = headerText(response, 'content-type')?.split(';', 1)[0]?.trim();
  const said = type !== undefined && (isIndexType(type) || isManifestType(type)) ? type : undefined;
  const document = parseImageDocument(bytes, said, what);
  const own = document.kind === 'index' ? document.index.mediaType : document.manifest.mediaType;
  const mediaType = own ?? said ?? (document.kind === 'index' ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** The first of the values of a header. */
export function headerText(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function badReply(problem: string): StrakeError {
  return new StrakeError('DataLoss', problem, { fields: { layer: 'distribution' } });
}
