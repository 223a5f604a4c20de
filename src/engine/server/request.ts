import type { IncomingHttpHeaders } from 'node:http';
import { StrakeError } from '../../base/index.ts';
import type { ApiVersion } from './api-version.ts';
import type { Exchange } from './exchange.ts';
import type { Query } from './query.ts';

/** What a route's handler is given. */
export interface ApiRequest {
  readonly method: string;
  /** Without the version prefix, decoded. */
  readonly path: string;
  /** The pattern's named parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly apiVersion: ApiVersion;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly exchange: Exchange;
}

/** Generous for a container's configuration; the streams (build context, load, archive) are read as `body`, without this limit. */
export const maxJsonBodyBytes = 8 << 20;

/** The body, as it comes. */
export function body(request: ApiRequest): AsyncIterable<Uint8Array> {
  return request.exchange.body();
}

/** The body as JSON; undefined when it is empty. InvalidArgument for anything that is not one JSON value within the limit. */
export async function readJson(request: ApiRequest): Promise<unknown> {
  const bytes = await readAll(body(request));
  if (bytes.length === 0) return undefined;
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json')
    throw new StrakeError('InvalidArgument', `unsupported Content-Type header (${request.headers['content-type'] ?? ''}): must be 'application/json'`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid JSON: ${(cause as Error).message}`, { cause });
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxJsonBodyBytes) throw new StrakeError('InvalidArgument', `request body is larger than ${maxJsonBodyBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
