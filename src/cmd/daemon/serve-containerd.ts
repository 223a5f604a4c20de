/** The engine's core by containerd's API too: what the Engine has is its namespace `moby`. */
import path from 'node:path';
import { errorMessage, type Logger } from '../../base/index.ts';
import type { LocalCore, OpenFileTree } from '../../core/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import { composeServices } from '../containerd/services.ts';
import type { DaemonFlags } from './flags.ts';

export interface ContainerdFace {
  readonly core: LocalCore;
  readonly launcher: Launcher;
  readonly openFileTree: OpenFileTree;
  readonly flags: DaemonFlags;
  readonly log: Logger;
}

/** Listens at `address`, for `groupId` besides root, until it is disposed of. */
export async function serveContainerd(
  { core, launcher, openFileTree, flags, log }: ContainerdFace,
  address: string,
  groupId: number,
): Promise<AsyncDisposable> {
  await using cleanup = new AsyncDisposableStack();
  const { dataRoot, execRoot, transfers, registries } = flags;
  const config = { ...transfers, registryConfig: registries.configDirectories.join(':'), runtimes: {} };
  const place = { core, launcher, openFileTree, root: dataRoot, state: path.join(execRoot, 'containerd'), address, config, log };
  const services = await composeServices(place, cleanup);
  const server = await serveGrpc({ hosts: [{ kind: 'unix', path: address, groupId }], services, log });
  cleanup.defer(async () => await server.close().catch((error: unknown) => log.warn("containerd's socket did not close", { error: errorMessage(error) })));
  log.info(`containerd's API listens on ${address}`);
  return cleanup.move();
}
