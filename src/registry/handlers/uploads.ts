import { StrakeError } from '../../base/index.ts';
import { findBlob } from '../../core/index.ts';
import type { Client } from '../auth/gate.ts';
import { registryError } from '../errors.ts';
import { parseChunkRange } from '../http/byte-range.ts';
import { contentLength, queryText, type RegistryRequest, type Reply } from '../http/message.ts';
import { checkDigest, checkName } from '../names.ts';
import type { ContentEvent } from '../observe/events.ts';
import type { Storage } from '../store/storage.ts';
import type { Upload, UploadChunk } from '../store/uploads.ts';
import type { Endpoint } from './endpoint.ts';

/** Begins an upload; with `digest` it is the whole of it, with `mount` perhaps none is needed. */
export const startUpload: Endpoint<'uploads'> = {
  action: 'push',
  async handle(storage, request, { repository }, client) {
    const { query } = request;
    const mount = queryText(query, 'mount');
    const mounted = mount === undefined ? undefined : await mountBlob(storage, client, queryText(query, 'from'), repository, checkDigest(mount));
    if (mounted !== undefined) return created({ action: 'mount', repository, ...mounted });
    const digest = queryText(query, 'digest');
    if (digest !== undefined) {
      const { sizeBytes } = await storage.uploads.whole(repository, checkDigest(digest), chunkOf(request));
      return created({ action: 'push', repository, digest, sizeBytes });
    }
    checkAlgorithm(queryText(query, 'digest-algorithm'));
    return accepted(storage.uploads.start(repository), 202);
  },
};

export const uploadStatus: Endpoint<'upload'> = {
  action: 'push',
  async handle({ uploads }, _request, { repository, reference }) {
    return accepted(await uploads.status(repository, reference), 204);
  },
};

export const uploadChunk: Endpoint<'upload'> = {
  action: 'push',
  async handle({ uploads }, request, { repository, reference }) {
    return accepted(await withPlace(uploads.append(repository, reference, chunkOf(request))), 202);
  },
};

export const finishUpload: Endpoint<'upload'> = {
  action: 'push',
  async handle({ uploads }, request, { repository, reference }) {
    const digest = checkDigest(queryText(request.query, 'digest') ?? '');
    const { sizeBytes } = await withPlace(uploads.finish(repository, reference, digest, chunkOf(request)));
    return created({ action: 'push', repository, digest, sizeBytes });
  },
};

export const cancelUpload: Endpoint<'upload'> = {
  action: 'push',
  async handle({ uploads }, _request, { repository, reference }) {
    await uploads.cancel(repository, reference);
    return { status: 204 };
  },
};

interface Mounted {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly fromRepository: string;
}

/** Gives the repository a blob that another one has, if the client may read it there. Without `from`, wherever the client may read it. undefined: it cannot. */
async function mountBlob(
  { catalogue, content, locks }: Storage,
  client: Client,
  from: string | undefined,
  repository: string,
  digest: string,
): Promise<Mounted | undefined> {
  const sources = from === undefined ? catalogue.holdersOf(digest) : [checkName(from)];
  const fromRepository = sources.find((source) => client.may(source, 'pull'));
  if (fromRepository === undefined) return undefined;
  return await locks.run(digest, async () => {
    if (!catalogue.hasBlob(fromRepository, digest)) return undefined;
    const sizeBytes = (await findBlob(content, digest))?.sizeBytes;
    if (sizeBytes === undefined) return undefined;
    catalogue.linkBlob(repository, digest, sizeBytes);
    return { digest, sizeBytes, fromRepository };
  });
}

function chunkOf(request: RegistryRequest): UploadChunk {
  const range = parseChunkRange(request.headers['content-range']);
  if (range === 'invalid') throw registryError('BLOB_UPLOAD_INVALID', `invalid content range ${JSON.stringify(request.headers['content-range'])}`);
  return { range, lengthBytes: contentLength(request), body: request.body };
}

function checkAlgorithm(algorithm: string | undefined): void {
  if (algorithm !== undefined && !['sha256', 'sha384', 'sha512'].includes(algorithm))
    throw registryError('DIGEST_INVALID', `digest algorithm ${JSON.stringify(algorithm.slice(0, 32))} is not supported`);
}

/** A client that was out of step is told where the upload is. */
async function withPlace<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const upload = error instanceof StrakeError ? (error.fields['upload'] as Upload | undefined) : undefined;
    if (upload === undefined) throw error;
    throw registryError('RANGE_INVALID', (error as Error).message, { cause: error, headers: placeHeaders(upload) });
  }
}

function placeHeaders({ repository, id, offsetBytes }: Upload): Record<string, string> {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    // Position of the last byte; distribution says `0-0` also where there is none yet.
    Range: `0-${Math.max(0, offsetBytes - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function accepted(upload: Upload, status: 202 | 204): Reply {
  return { status, headers: { ...placeHeaders(upload), ...(status === 202 ? { 'Content-Length': '0' } : {}) } };
}

function created(event: ContentEvent & { readonly digest: string }): Reply {
  const { repository, digest } = event;
  return {
    status: 201,
    headers: { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest, 'Content-Length': '0' },
    events: [event],
  };
}
