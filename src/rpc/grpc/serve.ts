import { createSecureServer, createServer, type Http2Server, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import { health, reflection, reflectionAlpha } from '../../api/grpc/index.ts';
import { errorMessage, type Logger } from '../../base/index.ts';
import { bindHost, type Host } from '../listen/index.ts';
import { healthService } from './health.ts';
import { maxMessageBytes } from './limits.ts';
import { statusOfErrors } from './map-errors.ts';
import { reflectionService } from './reflection.ts';
import { type GrpcService, grpcService } from './service.ts';

/** PEM. With `clientAuthority` clients need a certificate of it. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority?: string;
}

export type GrpcHost = Host & { readonly tls?: ServerTls };

export interface GrpcServerOptions {
  readonly hosts: readonly GrpcHost[];
  readonly services: readonly GrpcService[];
  readonly log: Logger;
}

export interface GrpcServer {
  /** Stops listening, lets calls under way go on for `graceMs`, then cuts what is left. Removes the sockets. */
  close(graceMs?: number): Promise<void>;
}

/** Serves the services, health and reflection on every host. All or none are bound. */
export async function serveGrpc({ hosts, services, log }: GrpcServerOptions): Promise<GrpcServer> {
  const listener = requestListener(services, log);
  const running: { readonly server: Http2Server; readonly sessions: Set<ServerHttp2Session>; readonly release: () => Promise<void> }[] = [];
  const close = async (graceMs = 500) => {
    await Promise.all(
      running.map(async ({ server, sessions, release }) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        server.close(() => resolve());
        for (const session of sessions) session.close();
        const timer = setTimeout(() => {
          for (const session of sessions) session.destroy();
        }, graceMs);
        await promise;
        clearTimeout(timer);
        await release();
      }),
    );
  };
  try {
    for (const host of hosts) {
      const server = createHttp2Server(host.tls, listener);
      const sessions = new Set<ServerHttp2Session>();
      server.on('session', (session) => {
        sessions.add(session);
        session.on('close', () => sessions.delete(session));
      });
      running.push({ server, sessions, release: await bindHost(server, host) });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { close };
}

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

function createHttp2Server(tls: ServerTls | undefined, listener: Listener): Http2Server {
  if (tls === undefined) return createServer(listener);
  const { certificate: cert, key, clientAuthority: ca } = tls;
  return createSecureServer({ cert, key, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) }, listener);
}

function requestListener(services: readonly GrpcService[], log: Logger): Listener {
  const descriptions = [...services.map(({ description }) => description), health.Health, reflection.ServerReflection, reflectionAlpha.ServerReflection];
  const all = [
    ...services,
    grpcService(health.Health, healthService(descriptions.map(({ typeName }) => typeName))),
    grpcService(reflection.ServerReflection, reflectionService(descriptions)),
    grpcService(reflectionAlpha.ServerReflection, reflectionService(descriptions)),
  ];
  const report = statusOfErrors((method, error) => {
    log.error('a call failed', { method: `${method.parent.typeName}/${method.name}`, error: errorMessage(error) });
  });
  return connectNodeAdapter({
    grpc: true,
    grpcWeb: false,
    connect: false,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    acceptCompression: [compressionGzip],
    interceptors: [report],
    routes: (router) => {
      for (const service of all) service.register(router);
    },
    fallback: (request, response) => {
      const message = `unknown service or method ${request.url}`;
      response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': Code.Unimplemented, 'grpc-message': encodeURIComponent(message) });
      response.end();
    },
  }) as Listener;
}
