import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { errorMessage, isCode, type Logger, StrakeError } from '../../base/index.ts';
import { bindHost } from '../../rpc/listen/index.ts';
import type { AttachRequest, ExecRequest, PortForwardRequest, StreamChoice, StreamingBackend } from '../backend.ts';
import { HttpRefusal, refuse } from '../http/answer.ts';
import { type Head, readHead } from '../http/read-head.ts';
import { servePortForward } from '../port-forward/serve.ts';
import { serveCommand } from '../remote-command/serve.ts';
import { Tokens } from './tokens.ts';

/** For a client's request, once it has connected. */
const headTimeoutMs = 10_000;

/** PEM. With `clientAuthority` clients need a certificate of it. */
export interface StreamingTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority?: string;
}

export interface StreamingServerOptions {
  /** Where it listens; loopback, unless somebody says otherwise in so many words. */
  readonly address?: string;
  /** 0: any that is free. */
  readonly port?: number;
  readonly tls?: StreamingTls;
  /** A connection on which nothing moves for so long is cut. Kubernetes' default. */
  readonly idleMs?: number;
  /** For a client to open its streams. Kubernetes' default. */
  readonly creationMs?: number;
  readonly backend: StreamingBackend;
  readonly log: Logger;
}

/** Gives out addresses, each good for one connection within a minute, and serves them. */
export interface StreamingServer {
  /** InvalidArgument for a request that cannot be served, ResourceExhausted when too many wait for their clients. */
  execUrl(request: ExecRequest): string;
  attachUrl(request: AttachRequest): string;
  portForwardUrl(request: PortForwardRequest): string;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

type Waiting =
  | { readonly kind: 'exec'; readonly request: ExecRequest }
  | { readonly kind: 'attach'; readonly request: AttachRequest }
  | { readonly kind: 'portforward'; readonly request: PortForwardRequest };

export async function startStreamingServer(options: StreamingServerOptions): Promise<StreamingServer> {
  const { address = '127.0.0.1', port = 0, backend, log } = options;
  const limits = { idleMs: options.idleMs ?? 4 * 60 * 60_000, creationMs: options.creationMs ?? 30_000 };
  const tokens = new Tokens<Waiting>();
  const sockets = new Set<net.Socket>();
  const serve = async (socket: Duplex): Promise<void> => {
    const head = await readHead(socket, headTimeoutMs);
    const { kind, request } = take(tokens, head);
    if (kind === 'portforward') await servePortForward(socket, head, request, backend, limits);
    else if (kind === 'exec') {
      const failing = 'error executing command in container';
      await serveCommand(socket, head, request, async (streams) => await backend.exec(request, streams), { ...limits, failing });
    } else {
      const attach = async (streams: Parameters<StreamingBackend['attach']>[1]) => {
        await backend.attach(request, streams);
        return 0;
      };
      await serveCommand(socket, head, request, attach, { ...limits, failing: 'error attaching to container' });
    }
  };
  const server = createServer(options.tls, (socket) => {
    sockets.add(socket);
    // A socket without a listener for its errors would end the process with them.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket).catch((error: unknown) => {
      if (error instanceof HttpRefusal) {
        refuse(socket, error);
        return;
      }
      log.debug(`a streaming client: ${errorMessage(error)}`);
      if (isCode(error, 'InvalidArgument')) refuse(socket, new HttpRefusal(400, errorMessage(error)));
      else socket.destroy();
    });
  });
  await bindHost(server, { kind: 'tcp', address, port });
  const base = `${options.tls === undefined ? 'http' : 'https'}://${authority(server.address() as AddressInfo)}`;
  const urlOf = (waiting: Waiting) => `${base}/${waiting.kind}/${tokens.insert(waiting)}`;
  return {
    execUrl: (request) => {
      checkChoice(request, request.containerId);
      return urlOf({ kind: 'exec', request });
    },
    attachUrl: (request) => {
      checkChoice(request, request.containerId);
      return urlOf({ kind: 'attach', request });
    },
    portForwardUrl: (request) => {
      if (request.sandboxId === '') throw invalid('missing required pod_sandbox_id');
      return urlOf({ kind: 'portforward', request });
    },
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

function take(tokens: Tokens<Waiting>, { start: [method = '', target = ''] }: Head): Waiting {
  const [, kind, token = '', ...more] = target.split('?', 1)[0]?.split('/') ?? [];
  const isKnown = (method === 'GET' || method === 'POST') && more.length === 0;
  const waiting = isKnown ? tokens.take(token) : undefined;
  if (waiting === undefined || waiting.kind !== kind) throw new HttpRefusal(404, '404 page not found');
  return waiting;
}

function checkChoice({ stdin, stdout, stderr, terminal }: StreamChoice, containerId: string): void {
  if (containerId === '') throw invalid('missing required container_id');
  if (terminal && stderr) throw invalid('tty and stderr cannot both be true');
  if (!stdin && !stdout && !stderr) throw invalid('one of stdin, stdout, or stderr must be set');
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'streaming' } });
}

function authority({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function createServer(options: StreamingTls | undefined, onSocket: (socket: net.Socket) => void): net.Server {
  if (options === undefined) return net.createServer({ noDelay: true }, onSocket);
  const { certificate: cert, key, clientAuthority: ca } = options;
  const server = tls.createServer({ cert, key, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) }, onSocket);
  // A stranger's handshake that fails is the stranger's concern.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
