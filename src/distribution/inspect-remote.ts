import { documentLimitBytes } from '../core/index.ts';
import { type Descriptor, type Platform, parseImageConfig, parseImageDocument, type Reference, withDefaultTag } from '../oci/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { fetchBlob } from './registry/fetch-blob.ts';
import { fetchDocument } from './registry/fetch-document.ts';
import { RegistryClient, type RegistrySettings } from './registry/registry-client.ts';

export interface RemoteImage {
  readonly descriptor: Descriptor;
  /** Of an index, those of its entries; else the configuration's. */
  readonly platforms: readonly Platform[];
}

export type InspectRemote = (options: {
  readonly reference: Reference;
  readonly credentials?: Credentials | undefined;
  readonly signal: AbortSignal;
}) => Promise<RemoteImage>;

/** Says what a name stands for in its registry; nothing is kept. NotFound when it stands for nothing. */
export function createRemoteInspector(settings: RegistrySettings): InspectRemote {
  return async ({ reference, credentials, signal }) => {
    const client = new RegistryClient({ ...settings, domain: reference.domain, credentials });
    const { descriptor, bytes } = await fetchDocument(client, withDefaultTag(reference), signal);
    const document = parseImageDocument(bytes, descriptor.mediaType, descriptor.digest);
    if (document.kind === 'index')
      return { descriptor, platforms: document.index.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform])) };
    const { config } = document.manifest;
    if (config.size > documentLimitBytes) return { descriptor, platforms: [] };
    const parts = await Array.fromAsync(fetchBlob(client, { repository: reference.path, blob: config, signal }));
    const { architecture, os, variant } = parseImageConfig(Buffer.concat(parts), config.digest);
    return { descriptor, platforms: [{ architecture, os, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) }] };
  };
}
