import { registryError } from '../errors.ts';
import { json } from '../http/message.ts';
import type { Target } from '../http/target.ts';
import { deleteBlob, getBlob } from './blobs.ts';
import type { Endpoint } from './endpoint.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import { cancelUpload, finishUpload, startUpload, uploadChunk, uploadStatus } from './uploads.ts';

const base: Endpoint<'base'> = { action: 'enter', handle: async () => json({}) };

/** distribution-spec 1.1, "Endpoints", and distribution's catalogue. */
const endpoints: { readonly [Kind in Target['kind']]: Readonly<Record<string, Endpoint<Kind>>> } = {
  base: { GET: base, HEAD: base },
  catalogue: { GET: listRepositories },
  tags: { GET: listTags },
  referrers: { GET: listReferrers },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  blob: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob },
  uploads: { POST: startUpload },
  upload: { GET: uploadStatus, PATCH: uploadChunk, PUT: finishUpload, DELETE: cancelUpload },
};

/** Throws UNSUPPORTED for a method that the target has not. */
export function findEndpoint(target: Target, method: string): Endpoint<Target['kind']> {
  const methods: Readonly<Record<string, unknown>> = endpoints[target.kind];
  const found = Object.hasOwn(methods, method) ? (methods[method] as Endpoint<Target['kind']>) : undefined;
  if (found !== undefined) return found;
  throw registryError('UNSUPPORTED', `method ${method.slice(0, 16)} is not possible here`, { headers: { Allow: Object.keys(methods).join(', ') } });
}
