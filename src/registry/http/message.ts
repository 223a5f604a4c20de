import type { IncomingHttpHeaders } from 'node:http';
import type { ContentEvent } from '../observe/events.ts';

export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** `https://HOST:PORT`, as the client calls us. */
  readonly origin: string;
  /** `ADDRESS:PORT` */
  readonly clientAddress: string;
  /** Read at most once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A stream comes with its Content-Length among the headers. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** What the client did by this. */
  readonly events?: readonly ContentEvent[];
}

/** A JSON document of the API. */
export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body: `${JSON.stringify(value)}\n` };
}

/** The one value of a query parameter; undefined when it is absent or empty. */
export function queryText(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

/** The number of bytes that a request announces. */
export function contentLength({ headers }: Pick<RegistryRequest, 'headers'>): number | undefined {
  const text = headers['content-length'];
  return text === undefined ? undefined : Number(text);
}
