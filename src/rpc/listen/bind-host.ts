import { chownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';

export type Host =
  | { readonly kind: 'unix'; readonly path: string /** owner of the socket besides root; 0: root's group */; readonly groupId: number }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number };

/** The longest socket path the kernel takes: sizeof(sun_path) - 1, unix(7). */
const maxSocketPathBytes = 107;

/** Binds and listens. The result removes the socket file again. */
export async function bindHost(server: Server, host: Host): Promise<() => Promise<void>> {
  if (host.kind === 'tcp') {
    await listening(server, () => server.listen(host.port, host.address), `${host.address}:${host.port}`);
    return async () => {};
  }
  if (Buffer.byteLength(host.path) > maxSocketPathBytes)
    throw new StrakeError('InvalidArgument', `socket path ${host.path} is longer than ${maxSocketPathBytes} bytes`, { fields: { layer: 'rpc' } });
  mkdirSync(path.dirname(host.path), { recursive: true, mode: 0o711 });
  await removeStaleSocket(host.path);
  // Nobody but root may connect between bind and chown.
  const before = process.umask(0o117);
  try {
    await listening(server, () => server.listen(host.path), host.path);
  } finally {
    process.umask(before);
  }
  chownSync(host.path, 0, host.groupId);
  const { ino } = lstatSync(host.path);
  return async () => {
    // Not the socket of a daemon that has come after us.
    if (lstatSync(host.path, { throwIfNoEntry: false })?.ino === ino) rmSync(host.path, { force: true });
  };
}

/** A socket on which nobody answers is what a killed daemon leaves. One that answers, or a file of another kind, stays and is an error. */
async function removeStaleSocket(socketPath: string): Promise<void> {
  const stat = lstatSync(socketPath, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new StrakeError('FailedPrecondition', `${socketPath} exists and is not a socket`, { fields: { layer: 'rpc' } });
  if (await answers(socketPath)) throw new StrakeError('FailedPrecondition', `another process listens on ${socketPath}`, { fields: { layer: 'rpc' } });
  rmSync(socketPath);
}

async function answers(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath, () => resolve(true));
  socket.once('error', () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}

async function listening(server: Server, listen: () => void, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  server.once('error', reject);
  try {
    listen();
    await promise;
  } catch (cause) {
    throw new StrakeError('Unavailable', `cannot listen on ${name}: ${(cause as Error).message}`, { cause, fields: { layer: 'rpc', operation: 'listen' } });
  } finally {
    server.off('listening', resolve);
    server.off('error', reject);
  }
}
