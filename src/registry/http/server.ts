import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import { errorCode, errorMessage, type Logger, StrakeError } from '../../base/index.ts';
import { wireError } from '../errors.ts';
import { limits } from '../limits.ts';
import { RequestBody } from './body.ts';
import type { RegistryRequest, Reply } from './message.ts';
import { errorReply, writeReply } from './write-reply.ts';

export interface ServerOptions {
  /** A name or an address; empty: all. */
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly tls?: { readonly certificate: Uint8Array; readonly key: Uint8Array } | undefined;
  readonly handle: (request: RegistryRequest) => Promise<Reply>;
  readonly log: Logger;
  readonly onAnswered?: (request: AnsweredRequest) => void;
}

export interface AnsweredRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface RunningServer {
  readonly port: number;
  /** Stops listening; replies under way have `graceMs` to end. */
  close(graceMs?: number): Promise<void>;
}

/** Serves HTTP, or HTTPS when there is a certificate. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const settings = { requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 };
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(options, request, response);
  const server: Server =
    options.tls === undefined
      ? http.createServer(settings, listener)
      : https.createServer({ ...settings, cert: Buffer.from(options.tls.certificate), key: Buffer.from(options.tls.key) }, listener);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    listener(request, response);
  });
  server.setTimeout(limits.idleTimeoutMs);
  await listening(server, options);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async close(graceMs = 5000) {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await promise;
      clearTimeout(timer);
    },
  };
}

async function listening(server: Server, { host, port }: ServerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  try {
    server.listen({ port, ...(host === '' ? {} : { host }) });
    await promise;
  } catch (cause) {
    throw new StrakeError('Unavailable', `cannot listen on ${host}:${port}: ${errorMessage(cause)}`, {
      cause,
      fields: { layer: 'registry', operation: 'listen' },
    });
  } finally {
    server.off('listening', resolve).off('error', reject);
  }
}

async function answer({ handle, log, tls, onAnswered }: ServerOptions, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now();
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new StrakeError('Canceled', 'the client closed the connection', { fields: { layer: 'registry' } }));
  });
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const isHead = incoming.method === 'HEAD';
  const body = new RequestBody(incoming);
  const request = toRequest(incoming, body, gone.signal, tls === undefined ? 'http' : 'https');
  let status = 0;
  let sentBytes = 0;
  try {
    const reply = await replyOf(handle, incoming, request, log);
    status = reply.status;
    await writeReply(response, reply, isHead, (count) => {
      sentBytes += count;
    });
  } catch (error) {
    // The head is out: all that can be said is that the body is not whole.
    if (errorCode(error) !== 'Canceled') log.error(`reply to ${incoming.method} ${incoming.url} broke off: ${errorMessage(error)}`, { code: errorCode(error) });
    response.destroy();
  }
  body.drain(limits.drainBytes);
  const seconds = (performance.now() - started) / 1000;
  log.debug(`${request.method} ${request.path}`, { status, seconds });
  onAnswered?.({ method: request.method, path: request.path, status, seconds, receivedBytes: body.receivedBytes, sentBytes });
}

async function replyOf(handle: ServerOptions['handle'], incoming: IncomingMessage, request: RegistryRequest, log: Logger): Promise<Reply> {
  try {
    return await handle(request);
  } catch (error) {
    const wire = wireError(error);
    if (wire.status >= 500 && errorCode(error) !== 'Canceled')
      log.error(`${incoming.method} ${incoming.url}: ${errorMessage(error)}`, {
        code: errorCode(error),
        ...(errorCode(error) === 'Internal' && error instanceof Error ? { stack: error.stack } : {}),
      });
    return errorReply(wire);
  }
}

function toRequest(incoming: IncomingMessage, body: RequestBody, signal: AbortSignal, scheme: string): RegistryRequest {
  const url = incoming.url ?? '';
  const question = url.indexOf('?');
  return {
    method: incoming.method ?? '',
    path: question < 0 ? url : url.slice(0, question),
    query: new URLSearchParams(question < 0 ? '' : url.slice(question + 1)),
    headers: incoming.headers,
    origin: `${scheme}://${hostOf(incoming)}`,
    clientAddress: `${incoming.socket.remoteAddress ?? ''}:${incoming.socket.remotePort ?? ''}`,
    body,
    signal,
  };
}

/** As the client calls us; it is told to this client again, and to nobody who trusts it. */
function hostOf({ headers }: IncomingMessage): string {
  const host = headers.host ?? '';
  return /^[\w.:[\]-]{1,255}$/.test(host) ? host : 'localhost';
}
