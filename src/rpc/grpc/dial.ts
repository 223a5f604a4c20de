import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { lostError } from '../http2/index.ts';

/** PEM. `authority` signs the server's certificate; the pair is ours, where the server asks. */
export interface ClientTls {
  readonly authority: string;
  readonly certificate?: string;
  readonly key?: string;
}

export type GrpcAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number; readonly tls?: ClientTls };

const dialTimeoutMs = 10_000;

/** A socket that is connected. Unavailable when nobody answers there. */
export async function dial(address: GrpcAddress): Promise<Duplex> {
  const socket = open(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ready = address.kind === 'tcp' && address.tls !== undefined ? 'secureConnect' : 'connect';
  socket.once(ready, resolve);
  socket.once('error', reject);
  const timer = setTimeout(() => reject(new Error(`no answer in ${dialTimeoutMs / 1000} s`)), dialTimeoutMs);
  try {
    await promise;
    return socket;
  } catch (cause) {
    socket.destroy();
    throw lostError(`cannot connect to ${nameOf(address)}: ${(cause as Error).message}`, cause);
  } finally {
    clearTimeout(timer);
    socket.off(ready, resolve);
    socket.off('error', reject);
  }
}

export function nameOf(address: GrpcAddress): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  return `${net.isIPv6(address.address) ? `[${address.address}]` : address.address}:${address.port}`;
}

function open(address: GrpcAddress): net.Socket {
  if (address.kind === 'unix') return net.connect(address.path);
  const { address: host, port } = address;
  if (address.tls === undefined) return net.connect({ host, port, noDelay: true });
  const { authority: ca, certificate: cert, key } = address.tls;
  const servername = net.isIP(host) === 0 ? host : '';
  return tls.connect({ host, port, ca, servername, ALPNProtocols: ['h2'], ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) });
}
