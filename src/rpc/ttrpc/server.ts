import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Logger, silentLogger, untilAborted } from '../../base/index.ts';
import { bindHost } from '../listen/index.ts';
import type { ServedService } from '../service.ts';
import { Channel } from './channel.ts';
import { ServerConnection } from './server-connection.ts';

const maxConnections = 1_024;

export interface TtrpcServerOptions {
  readonly services: readonly ServedService[];
  readonly log?: Logger;
}

/** Answers ttrpc calls, on a socket that it listens at or on connections that are handed in. */
export class TtrpcServer implements AsyncDisposable {
  private readonly services: ReadonlyMap<string, ServedService>;
  private readonly log: Logger;
  private readonly connections = new Set<ServerConnection>();
  private readonly listeners: { readonly server: Server; readonly remove: () => Promise<void> }[] = [];

  constructor({ services, log = silentLogger }: TtrpcServerOptions) {
    this.services = new Map(services.map((served) => [served.description.typeName, served]));
    this.log = log;
  }

  /** Listens at the unix socket `path`, which only its owner may use, and removes it at the end. FailedPrecondition where somebody listens there already. */
  async listen(path: string): Promise<void> {
    const server = this.createListener();
    const remove = await bindHost(server, { kind: 'unix', path, groupId: 0 });
    chmodSync(path, 0o600);
    this.listeners.push({ server, remove });
  }

  /** Serves one connection until it ends. */
  serve(socket: Duplex): void {
    const connection = new ServerConnection(new Channel(socket), this.services, this.log);
    this.connections.add(connection);
    void connection.ended.then(() => this.connections.delete(connection));
  }

  /** Takes no more connections, and ends those there are as soon as they have no call under way; `signal` gives the waiting up, and ends all. */
  async shutdown(signal?: AbortSignal): Promise<void> {
    this.stopListening();
    for (const connection of this.connections) connection.closeWhenIdle();
    try {
      await untilAborted(Promise.all([...this.connections].map(({ ended }) => ended)), signal);
    } finally {
      this.close();
    }
  }

  /** Ends everything at once. */
  close(): void {
    this.stopListening();
    for (const connection of this.connections) connection.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private createListener(): Server {
    const server = createServer();
    server.maxConnections = maxConnections;
    server.on('connection', (socket) => this.serve(socket));
    server.on('error', (error) => this.log.error('a ttrpc listener failed', { error }));
    return server;
  }

  private stopListening(): void {
    for (const { server, remove } of this.listeners.splice(0)) {
      server.close();
      void remove().catch((error: unknown) => this.log.warn('a socket was not removed', { error }));
    }
  }
}
