import { isCode } from '../../base/index.ts';
import type { BlobInfo } from '../../core/index.ts';
import { registryError } from '../errors.ts';
import { parseRange } from '../http/byte-range.ts';
import type { Reply } from '../http/message.ts';
import { checkDigest } from '../names.ts';
import type { Storage } from '../store/storage.ts';
import type { Endpoint, TargetOf } from './endpoint.ts';

/** Content never changes under its name. */
const forEver = 'max-age=31536000';

export const getBlob: Endpoint<'blob'> = {
  action: 'pull',
  async handle(registry, request, target) {
    const { digest, sizeBytes } = await findBlob(registry, target);
    const headers = blobHeaders(digest);
    if (request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
    const range = parseRange(request.headers.range, sizeBytes);
    if (range === 'unsatisfiable')
      throw registryError('RANGE_INVALID', `range ${JSON.stringify(request.headers.range)} is not in the ${sizeBytes} bytes of the blob`, {
        headers: { 'Content-Range': `bytes */${sizeBytes}` },
      });
    const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
    const length = end - start + 1;
    return {
      status: range === undefined ? 200 : 206,
      headers: { ...headers, 'Content-Length': String(length), ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${sizeBytes}` }) },
      // A given length is read as it is: the client verifies the whole.
      body: registry.content.read(digest, { offset: start, length, signal: request.signal }),
      ...(request.method === 'HEAD' ? {} : { events: [{ action: 'pull', repository: target.repository, digest, sizeBytes }] }),
    };
  },
};

export const deleteBlob: Endpoint<'blob'> = {
  action: 'delete',
  async handle({ catalogue }, _request, { repository, reference }): Promise<Reply> {
    const digest = checkDigest(reference);
    if (!catalogue.unlinkBlob(repository, digest)) throw unknownBlob(digest);
    catalogue.flush();
    return { status: 202, headers: { 'Content-Length': '0' }, events: [{ action: 'delete', repository, digest }] };
  },
};

export function blobHeaders(digest: string) {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': forEver,
    ETag: `"${digest}"`,
  };
}

async function findBlob({ catalogue, content }: Storage, { repository, reference }: TargetOf<'blob'>): Promise<BlobInfo> {
  const digest = checkDigest(reference);
  if (!catalogue.hasBlob(repository, digest)) throw unknownBlob(digest);
  try {
    return await content.info(digest);
  } catch (cause) {
    // Set aside because it was damaged: a push brings it again.
    if (isCode(cause, 'NotFound')) throw unknownBlob(digest, cause);
    throw cause;
  }
}

function unknownBlob(digest: string, cause?: unknown) {
  return registryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest }, cause });
}
