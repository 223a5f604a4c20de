import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorCode, errorMessage, type Logger } from '../../base/index.ts';
import { bindHost, type Host } from '../../rpc/listen/index.ts';
import { ApiVersion, minApiVersion } from './api-version.ts';
import type { Exchange } from './exchange.ts';
import { daemonHeaders } from './headers.ts';
import { HttpExchange } from './http-exchange.ts';
import { httpStatus } from './http-status.ts';
import { Query } from './query.ts';
import { respond, respondError } from './respond.ts';
import type { Route } from './route.ts';
import { createRouter, type Router, requestedVersion } from './router.ts';
import { UpgradeExchange } from './upgrade-exchange.ts';

export interface ApiServerOptions {
  readonly routes: readonly Route[];
  readonly hosts: readonly Host[];
  readonly productVersion: string;
  readonly log: Logger;
}

export interface ApiServer {
  /** Stops listening, lets replies under way go on for `graceMs`, then cuts what is left (attach, events). Removes the sockets. */
  close(graceMs?: number): Promise<void>;
}

/** Serves the routes on every host. All or none are bound. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const router = createRouter(options.routes);
  const headers = daemonHeaders(options.productVersion);
  const upgraded = new Set<Duplex>();
  const releases: (() => Promise<void>)[] = [];
  const servers: Server[] = [];
  const close = async (graceMs = 500) => {
    const ended = servers.map((server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeIdleConnections();
      return promise;
    });
    const timer = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    }, graceMs);
    await Promise.all(ended);
    clearTimeout(timer);
    for (const socket of upgraded) socket.destroy();
    await Promise.all(releases.map(async (release) => await release()));
  };
  try {
    for (const host of options.hosts) {
      const server = createApiHttpServer(router, headers, upgraded, options.log);
      releases.push(await bindHost(server, host));
      servers.push(server);
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { close };
}

function createApiHttpServer(router: Router, headers: Readonly<Record<string, string>>, upgraded: Set<Duplex>, log: Logger): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 }, (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void handle(router, request, new HttpExchange(request, response), log);
  });
  // A client that half-closes still gets its answer (Node and Bun cut it off by default).
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    void handle(router, request, new UpgradeExchange(request, socket, head, headers), log);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request');
  });
  return server;
}

async function handle(router: Router, incoming: IncomingMessage, exchange: Exchange, log: Logger): Promise<void> {
  const method = incoming.method ?? '';
  const [rawPath = '', queryText = ''] = splitOnce(incoming.url ?? '', '?');
  try {
    const { handler, params, path, apiVersion } = router(method, rawPath);
    log.debug(`calling ${method} ${path}`);
    const request = { method, path, params, apiVersion, query: new Query(queryText), headers: incoming.headers, signal: exchange.signal, exchange };
    const reply = await handler(request);
    await respond(exchange, reply);
  } catch (error) {
    if (exchange.signal.aborted) {
      log.debug(`client left ${method} ${rawPath}`, { error: errorMessage(error) });
      exchange.destroy();
      return;
    }
    if (httpStatus(error) >= 500)
      log.error(`handler for ${method} ${rawPath} returned error: ${errorMessage(error)}`, { code: errorCode(error), ...causeOf(error) });
    await answerError(exchange, error, rawPath);
  }
}

/** When the head was already sent, respond has cut the connection, and a second head throws: then there is nothing left to say. */
async function answerError(exchange: Exchange, error: unknown, rawPath: string): Promise<void> {
  const version = requestedVersion(rawPath);
  const plainText = version !== undefined && !new ApiVersion(version).atLeast(minApiVersion);
  try {
    await respondError(exchange, error, plainText);
  } catch {
    exchange.destroy();
  }
}

function causeOf(error: unknown): { readonly cause?: string } {
  return error instanceof Error && error.cause !== undefined ? { cause: errorMessage(error.cause) } : {};
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
