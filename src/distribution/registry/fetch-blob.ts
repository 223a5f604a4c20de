import { isCode, StrakeError } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { HttpResponse } from '../http/request.ts';
import { parseContentRange } from './content-range.ts';
import { isTransient, type RegistryClient } from './registry-client.ts';
import { pullScope } from './registry-request.ts';

export interface FetchBlobOptions {
  readonly repository: string;
  readonly blob: Descriptor;
  /** Bytes that are here already. */
  readonly offset?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a blob from `offset` on, over as many connections as it takes: a broken transfer goes on where it broke. Sends at most the blob's size;
 * the content itself is for the caller to verify.
 */
export async function* fetchBlob(client: RegistryClient, { repository, blob, offset = 0, signal }: FetchBlobOptions): AsyncGenerator<Uint8Array> {
  let position = offset;
  for (let attempt = 1; position < blob.size || blob.size === 0; attempt++) {
    try {
      const headers: Record<string, string> = position > 0 ? { range: `bytes=${position}-${blob.size - 1}` } : {};
      const response = await client.request(
        { target: `${repository}/blobs/${blob.digest}`, capability: 'pull', scopes: [pullScope(repository)], headers, accept: [200, 206], signal },
        1,
      );
      for await (const chunk of bodyFrom(response, position, blob)) {
        position += chunk.length;
        if (position > blob.size) throw dataLoss(blob, `the registry sends more than its size of ${blob.size} bytes`);
        attempt = 0;
        yield chunk;
      }
      if (position < blob.size) throw dataLoss(blob, `the registry ended it after ${position} bytes, its size is ${blob.size}`);
      return;
    } catch (error) {
      // 0: bytes came since the last failure, so that even silence is worth another connection.
      const isWorthIt = attempt === 0 ? isTransient(error) || isCode(error, 'DeadlineExceeded') : isTransient(error) && attempt < client.attempts;
      if (!isWorthIt) throw error;
      await client.pause(Math.max(1, attempt), signal, error);
    }
  }
}

/** The body from `position` on, also from a server that ignored the range and starts over. */
async function* bodyFrom(response: HttpResponse, position: number, blob: Descriptor): AsyncGenerator<Uint8Array> {
  let skip = 0;
  if (position > 0 && response.status === 206) {
    const range = parseContentRange(response.headers['content-range']);
    if (range?.start !== position || (range.sizeBytes ?? blob.size) !== blob.size) {
      response.discard();
      throw dataLoss(blob, `the registry sent range ${JSON.stringify(response.headers['content-range'] ?? null)}, asked was from ${position}`);
    }
  } else skip = position;
  for await (const chunk of response.body) {
    const taken = Math.min(skip, chunk.length);
    skip -= taken;
    if (taken < chunk.length) yield taken === 0 ? chunk : chunk.subarray(taken);
  }
}

function dataLoss({ digest }: Descriptor, problem: string): StrakeError {
  return new StrakeError('DataLoss', `blob ${digest}: ${problem}`, { fields: { layer: 'distribution', digest } });
}
