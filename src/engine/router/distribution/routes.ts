import type { DistributionInspect } from '../../../api/docker/index.ts';
import { parseReference } from '../../../oci/index.ts';
import { get, json, type Route } from '../../server/index.ts';
import { decodeRegistryAuth } from '../images/index.ts';
import type { DistributionBackend } from './backend.ts';

export function distributionRoutes(backend: DistributionBackend): readonly Route[] {
  return [
    get('/distribution/{name:path}/json', async ({ params: { name = '' }, headers, signal }) => {
      const { descriptor, platforms } = await backend.inspect({
        reference: parseReference(name),
        credentials: decodeRegistryAuth(headers['x-registry-auth']),
        signal,
      });
      const reply: DistributionInspect = { Descriptor: descriptor, Platforms: platforms };
      return json(reply);
    }),
  ];
}
