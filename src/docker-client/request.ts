/**
 * One HTTP request to an engine. Under Bun through `fetch` with its `unix` option: loading node:http costs a command 8 ms of its
 * 14; under Node through node:http.
 */
import type { IncomingMessage } from 'node:http';
import { StrakeError } from '../base/index.ts';
import { type Endpoint, formatEndpoint } from './endpoint.ts';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** With the query string. */
  readonly path: string;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface EngineResponse {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

export async function request(endpoint: Endpoint, options: EngineRequest): Promise<EngineResponse> {
  let sourceFailure: { readonly error: unknown } | undefined;
  const { body } = options;
  const watched = body !== undefined && isStream(body) ? { ...options, body: tellFailure(body, (error) => (sourceFailure = { error })) } : options;
  try {
    return await (typeof Bun === 'undefined' ? viaNode(endpoint, watched) : viaFetch(endpoint, watched));
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (sourceFailure !== undefined) throw sourceFailure.error;
    throw unreachable(endpoint, error);
  }
}

/** What is sent could not be read: that is to be told, not that the request broke off. */
async function* tellFailure(source: AsyncIterable<Uint8Array>, tell: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    tell(error);
    throw error;
  }
}

/** The error of an engine that does not answer; docker's words, so that scripts that look for them work. */
export function unreachable(endpoint: Endpoint, cause: unknown): StrakeError {
  return new StrakeError('Unavailable', `cannot connect to the engine at ${formatEndpoint(endpoint)}. Is the daemon running?`, {
    cause,
    fields: { layer: 'docker-client', remedy: 'start it with `strake daemon`' },
  });
}

function isStream(body: NonNullable<EngineRequest['body']>): body is AsyncIterable<Uint8Array> {
  return typeof body !== 'string' && !(body instanceof Uint8Array);
}

/** One chunk is read when there is room for it. An error of the source ends the request. */
function uploadStream(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

async function viaFetch(endpoint: Endpoint, options: EngineRequest): Promise<EngineResponse> {
  const base = endpoint.kind === 'unix' ? 'http://engine' : `http://${endpoint.host}:${endpoint.port}`;
  const init: RequestInit & { unix?: string; timeout?: boolean } = { method: options.method, headers: { ...options.headers }, timeout: false };
  if (endpoint.kind === 'unix') init.unix = endpoint.path;
  if (options.body !== undefined) init.body = isStream(options.body) ? uploadStream(options.body) : (options.body as string);
  if (options.signal) init.signal = options.signal;
  const response = await fetch(base + options.path, init);
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: (response.body ?? []) as unknown as AsyncIterable<Uint8Array>,
    text: () => response.text(),
  };
}

async function viaNode(endpoint: Endpoint, options: EngineRequest): Promise<EngineResponse> {
  const { request: httpRequest } = await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpRequest(
    {
      ...(endpoint.kind === 'unix' ? { socketPath: endpoint.path } : { host: endpoint.host, port: endpoint.port }),
      method: options.method,
      path: options.path,
      headers: { Host: 'engine', ...options.headers },
      ...(options.signal ? { signal: options.signal } : {}),
    },
    resolve,
  );
  outgoing.on('error', reject);
  if (options.body !== undefined && isStream(options.body)) {
    const { pipeline } = await import('node:stream');
    // Its error is the request's, which is heard above.
    pipeline(options.body, outgoing, () => undefined);
  } else outgoing.end(options.body);
  const response = await promise;
  return {
    status: response.statusCode ?? 0,
    header: (name) => response.headers[name.toLowerCase()]?.toString(),
    body: response,
    text: async () => Buffer.concat(await response.toArray()).toString(),
  };
}
