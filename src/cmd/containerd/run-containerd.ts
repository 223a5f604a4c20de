import { mkdirSync } from 'node:fs';
import type { Logger } from '../../base/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { runGrpc } from '../run-grpc.ts';
import { composeContainerd } from './compose.ts';
import type { ContainerdSettings } from './flags.ts';
import { grpcHosts } from './hosts.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. */
export async function runContainerd(settings: ContainerdSettings, log: Logger): Promise<number> {
  const { config, configFile, root, state, address, readyFd } = settings;
  if (config.ignored.length > 0) log.warn('keys of the configuration that mean nothing here', { file: configFile, ignored: config.ignored.join(' ') });
  const open = async (cleanup: AsyncDisposableStack) => {
    cleanup.use(lockDataRoot(root));
    mkdirSync(state, { recursive: true, mode: 0o711 });
    const { services } = cleanup.use(await composeContainerd(settings, log));
    return { services, hosts: grpcHosts(settings) };
  };
  return await runGrpc({ name: 'containerd', address, readyFd, open }, log);
}
