import { StrakeError } from '../../base/index.ts';
import { type Descriptor, digestOf, isDigest, parseDigest } from '../../oci/index.ts';
import { headerText } from './fetch-document.ts';
import type { RegistryClient } from './registry-client.ts';
import { pushScope } from './registry-request.ts';

export interface PutManifestOptions {
  readonly repository: string;
  /** Tag or digest. */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Stores a manifest or an index under a name. `knowsSubject`: the registry keeps the list of referrers itself. */
export async function putManifest(client: RegistryClient, options: PutManifestOptions): Promise<{ readonly knowsSubject: boolean }> {
  const { repository, name, descriptor, bytes, signal } = options;
  const host = await client.host('push');
  const response = await client.retry(host, signal, async () =>
    host.send({
      target: `${repository}/manifests/${name}`,
      capability: 'push',
      scopes: [pushScope(repository)],
      method: 'PUT',
      headers: { 'content-type': descriptor.mediaType },
      body: bytes,
      accept: [201, 200],
      signal,
    }),
  );
  response.discard();
  const stored = headerText(response, 'docker-content-digest');
  if (stored !== undefined && !(isDigest(stored) && digestOf(bytes, parseDigest(stored).algorithm) === stored))
    throw new StrakeError('DataLoss', `the registry stored manifest ${repository}:${name} as ${stored.slice(0, 160)}, not as ${descriptor.digest}`, {
      fields: { layer: 'distribution', digest: descriptor.digest },
    });
  return { knowsSubject: headerText(response, 'oci-subject') !== undefined };
}
