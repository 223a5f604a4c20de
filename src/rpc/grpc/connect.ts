import net from 'node:net';
import tls from 'node:tls';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { maxMessageBytes } from './limits.ts';
import { throwStrakeErrors } from './map-errors.ts';

/** PEM. `authority` signs the server's certificate; the pair is ours, where the server asks. */
export interface ClientTls {
  readonly authority: string;
  readonly certificate?: string;
  readonly key?: string;
}

export type GrpcAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number; readonly tls?: ClientTls };

export interface GrpcConnection {
  /** Calls throw StrakeErrors. */
  client<T extends DescService>(service: T): Client<T>;
  /** Another view of the same connection, whose calls go through `interceptors` too. */
  with(...interceptors: readonly Interceptor[]): GrpcConnection;
  close(): void;
}

/** Connects at the first call, and again at the first one after a loss. */
export function connectGrpc(address: GrpcAddress): GrpcConnection {
  const secure = address.kind === 'tcp' && address.tls !== undefined;
  const baseUrl = address.kind === 'unix' ? 'http://localhost' : `${secure ? 'https' : 'http'}://${hostOf(address.address)}:${address.port}`;
  const sessionManager = new Http2SessionManager(baseUrl, undefined, { createConnection: () => open(address) });
  return view(baseUrl, sessionManager, []);
}

function view(baseUrl: string, sessionManager: Http2SessionManager, interceptors: readonly Interceptor[]): GrpcConnection {
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    interceptors: [...interceptors],
  });
  return {
    client: (service) => throwStrakeErrors(service, createClient(service, transport)),
    with: (...more) => view(baseUrl, sessionManager, [...interceptors, ...more]),
    close: () => sessionManager.abort(),
  };
}

function open(address: GrpcAddress): net.Socket {
  if (address.kind === 'unix') return net.connect(address.path);
  if (address.tls === undefined) return net.connect(address.port, address.address);
  const { authority: ca, certificate: cert, key } = address.tls;
  const servername = net.isIP(address.address) === 0 ? address.address : undefined;
  return tls.connect({
    host: address.address,
    port: address.port,
    ca,
    ALPNProtocols: ['h2'],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  });
}

function hostOf(address: string): string {
  return net.isIPv6(address) ? `[${address}]` : address;
}
