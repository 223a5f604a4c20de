import http from 'node:http';
import https from 'node:https';
import { errorMessage, StrakeError } from '../../base/index.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Without a byte for so long, the request fails with DeadlineExceeded. */
  readonly idleTimeoutMs: number;
  /** false: any certificate will do (a listed insecure registry). */
  readonly verifyTls: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As on the wire: a Content-Encoding is not undone. Read it to the end, or call `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

const userAgent = 'strake';

/** One HTTP exchange, without following redirects. Connection failures are Unavailable, silence is DeadlineExceeded, an abort throws its reason. */
export async function sendRequest(request: HttpRequest): Promise<HttpResponse> {
  const { url, signal } = request;
  signal?.throwIfAborted();
  const answered = Promise.withResolvers<http.IncomingMessage>();
  const options: https.RequestOptions = {
    method: request.method ?? 'GET',
    // identity: a layer is hashed as it is on the wire.
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers },
    ...(url.protocol === 'https:' ? { rejectUnauthorized: request.verifyTls } : {}),
  };
  const outgoing = (url.protocol === 'https:' ? https : http).request(url, options, answered.resolve);
  const idle = new IdleTimer(request.idleTimeoutMs, () =>
    outgoing.destroy(
      new StrakeError('DeadlineExceeded', `${url.host} sent nothing for ${request.idleTimeoutMs} ms`, { fields: { layer: 'distribution', url: url.href } }),
    ),
  );
  outgoing.on('error', answered.reject);
  const abort = () => outgoing.destroy(new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  const finish = () => {
    idle.stop();
    signal?.removeEventListener('abort', abort);
  };
  outgoing.end(request.body);
  try {
    const incoming = await answered.promise;
    idle.touch();
    return {
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      body: readBody(incoming, { url, signal, idle, finish }),
      discard: () => {
        finish();
        incoming.destroy();
      },
    };
  } catch (error) {
    finish();
    outgoing.destroy();
    throw failure(error, url, signal, idle);
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

function failure(error: unknown, url: URL, signal: AbortSignal | undefined, idle: IdleTimer): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof StrakeError) return error;
  const errno = (error as NodeJS.ErrnoException).code;
  const fields = { layer: 'distribution', url: url.href, ...(errno === undefined ? {} : { errno }) };
  if (idle.expired) return new StrakeError('DeadlineExceeded', `${url.host} sent nothing for ${idle.timeoutMs} ms`, { cause: error, fields });
  return new StrakeError('Unavailable', `${url.host}: ${errorMessage(error)}`, { cause: error, fields });
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
