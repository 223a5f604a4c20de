import http from 'node:http';
import https from 'node:https';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { Proxies } from './proxies.ts';
import { type RequestBody, sendBody } from './request-body.ts';
import { type TlsSettings, trustedAuthorities } from './tls.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly url: URL;
  readonly method?: HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | RequestBody;
  readonly signal?: AbortSignal | undefined;
  /** When no byte comes or goes for so long, the request fails with DeadlineExceeded. */
  readonly idleTimeoutMs: number;
  readonly tls: TlsSettings;
  readonly proxies: Proxies | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As on the wire: a Content-Encoding is not undone. Read it to the end, or call `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

const userAgent = 'strake';
/** A body that is not wanted is read all the same when it is so small: the connection can be used again. */
const smallBytes = 16 << 10;

/** One HTTP exchange, without following redirects. Connection failures are Unavailable, silence is DeadlineExceeded, an abort throws its reason. */
export async function sendRequest(request: HttpRequest): Promise<HttpResponse> {
  const { url, signal } = request;
  signal?.throwIfAborted();
  const answered = Promise.withResolvers<http.IncomingMessage>();
  const agent = request.proxies?.agentFor(url);
  const options: https.RequestOptions = {
    ...(agent === undefined ? {} : { agent }),
    method: request.method ?? 'GET',
    // identity: a layer is hashed as it is on the wire.
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...lengthHeader(request.body), ...request.headers },
    ...(url.protocol === 'https:' ? tlsOptions(request.tls) : {}),
  };
  const outgoing = (url.protocol === 'https:' ? https : http).request(url, options, answered.resolve);
  const idle = new IdleTimer(request.idleTimeoutMs, () =>
    outgoing.destroy(
      new StrakeError('DeadlineExceeded', `${url.host} sent nothing for ${request.idleTimeoutMs} ms`, { fields: { layer: 'distribution', url: url.href } }),
    ),
  );
  outgoing.on('error', answered.reject).on('close', () => answered.reject(new Error('connection closed without an answer')));
  const abort = () => outgoing.destroy(new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  let isAnswered = false;
  const finish = () => {
    idle.stop();
    signal?.removeEventListener('abort', abort);
    // An answer to a request that was not read to its end: nothing else can be said over this connection.
    if (!outgoing.writableEnded) outgoing.destroy();
  };
  answered.promise.catch(() => undefined);
  const { body } = request;
  let sending: Promise<void> = Promise.resolve();
  if (typeof body === 'object' && 'open' in body) {
    sending = sendBody(
      outgoing,
      body,
      () => idle.touch(),
      () => isAnswered || outgoing.destroyed,
    );
    sending.catch((error: unknown) => {
      answered.reject(new SourceFailure(error));
      outgoing.destroy();
    });
  } else outgoing.end(body);
  try {
    const incoming = await answered.promise;
    isAnswered = true;
    idle.touch();
    // The source may know that what was answered was no good.
    await sending.catch((error: unknown) => {
      throw new SourceFailure(error);
    });
    return {
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      body: readBody(incoming, { url, signal, idle, finish }),
      discard: () => {
        if (options.method === 'HEAD' || Number(incoming.headers['content-length'] ?? Number.NaN) <= smallBytes) drain(incoming, idle, finish);
        else {
          finish();
          incoming.destroy();
        }
      },
    };
  } catch (error) {
    finish();
    outgoing.destroy();
    throw failure(error, url, signal, idle, request.proxies?.proxyFor(url));
  }
}

async function* readBody(
  incoming: http.IncomingMessage,
  { url, signal, idle, finish }: { readonly url: URL; readonly signal: AbortSignal | undefined; readonly idle: IdleTimer; readonly finish: () => void },
): AsyncGenerator<Uint8Array> {
  const announced = incoming.headers['content-length'];
  let left = announced === undefined ? undefined : Number(announced);
  // A body that is cut short may look like an end, or not end: the idle timer ends it.
  idle.onTimeout = () => incoming.destroy(new Error('idle'));
  const abort = () => incoming.destroy(new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      // The reader's own pace is not the server's silence.
      idle.stop();
      if (left !== undefined) left -= chunk.length;
      yield chunk;
      idle.touch();
    }
    if (left !== undefined && left > 0) throw new Error(`connection closed with ${left} bytes outstanding`);
    if (!incoming.complete) throw new Error('connection closed before the end');
  } catch (error) {
    throw failure(error, url, signal, idle);
  } finally {
    signal?.removeEventListener('abort', abort);
    finish();
    incoming.destroy();
  }
}

function drain(incoming: http.IncomingMessage, idle: IdleTimer, finish: () => void): void {
  idle.onTimeout = () => incoming.destroy();
  incoming
    .on('error', () => undefined)
    .on('close', finish)
    .on('end', finish)
    .resume();
}

/** What is sent cannot be read: no fault of the connection. */
class SourceFailure {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

function lengthHeader(body: HttpRequest['body']): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  if (typeof body === 'string') return { 'content-length': String(Buffer.byteLength(body)) };
  return { 'content-length': String('open' in body ? body.sizeBytes : body.length) };
}

function tlsOptions(settings: TlsSettings): https.RequestOptions {
  const { client } = settings;
  return {
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    ...(settings.verify ? { ca: trustedAuthorities(settings) } : { rejectUnauthorized: false }),
  };
}

function failure(error: unknown, url: URL, signal: AbortSignal | undefined, idle: IdleTimer, proxy?: URL): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof SourceFailure) return error.cause;
  if (error instanceof StrakeError) return error;
  const errno = (error as NodeJS.ErrnoException).code;
  const fields = { layer: 'distribution', url: url.href, ...(errno === undefined ? {} : { errno }) };
  if (idle.expired) return new StrakeError('DeadlineExceeded', `${url.host} sent nothing for ${idle.timeoutMs} ms`, { cause: error, fields });
  return new StrakeError('Unavailable', `${url.host}${proxy ? ` by proxy ${proxy.host}` : ''}: ${errorMessage(error)}`, { cause: error, fields });
}

/** Runs out unless it is touched; stopped while nobody waits. */
class IdleTimer {
  readonly timeoutMs: number;
  onTimeout: () => void;
  expired = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onTimeout: () => void) {
    this.timeoutMs = timeoutMs;
    this.onTimeout = onTimeout;
    this.touch();
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.onTimeout();
    }, this.timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
