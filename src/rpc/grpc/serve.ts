import net from 'node:net';
import tls from 'node:tls';
import { health, reflection, reflectionAlpha } from '../../api/grpc/index.ts';
import { errorMessage, type Logger } from '../../base/index.ts';
import { Http2ServerConnection, type StreamHandler } from '../http2/index.ts';
import { bindHost, type Host } from '../listen/index.ts';
import { createCallHandler } from './call-handler.ts';
import { healthService } from './health.ts';
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
  const handle = createCallHandler([...services, ...ownServices(services)], (method, error) => {
    log.error('a call failed', { method: `${method.parent.typeName}/${method.name}`, error: errorMessage(error) });
  });
  const listeners: Listener[] = [];
  const close = async (graceMs = 500) => void (await Promise.all(listeners.map(async (listener) => await listener.close(graceMs))));
  try {
    for (const host of hosts) listeners.push(await listen(host, handle));
  } catch (error) {
    await close(0);
    throw error;
  }
  return { close };
}

function ownServices(services: readonly GrpcService[]): readonly GrpcService[] {
  const descriptions = [...services.map(({ description }) => description), health.Health, reflection.ServerReflection, reflectionAlpha.ServerReflection];
  return [
    grpcService(health.Health, healthService(descriptions.map(({ typeName }) => typeName))),
    grpcService(reflection.ServerReflection, reflectionService(descriptions)),
    grpcService(reflectionAlpha.ServerReflection, reflectionService(descriptions)),
  ];
}

interface Listener {
  close(graceMs: number): Promise<void>;
}

async function listen(host: GrpcHost, handle: StreamHandler): Promise<Listener> {
  const connections = new Set<Http2ServerConnection>();
  const server = createServer(host.tls, (socket) => {
    const connection = new Http2ServerConnection({ socket, handle, onClose: () => connections.delete(connection) });
    connections.add(connection);
  });
  const release = await bindHost(server, host);
  return {
    close: async (graceMs) => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const connection of connections) connection.close();
      const timer = setTimeout(() => {
        for (const connection of connections) connection.abort(new Error('the server has ended'));
      }, graceMs);
      await closed.promise;
      clearTimeout(timer);
      await release();
    },
  };
}

function createServer(options: ServerTls | undefined, onSocket: (socket: net.Socket) => void): net.Server {
  if (options === undefined) return net.createServer({ noDelay: true }, onSocket);
  const { certificate: cert, key, clientAuthority: ca } = options;
  const server = tls.createServer(
    { cert, key, ALPNProtocols: ['h2'], ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) },
    onSocket,
  );
  // A stranger's handshake that fails is the stranger's concern.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
