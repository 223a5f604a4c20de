/** The life of `strake containerd`: lock, listen, wait for a signal, close. What it serves is composed elsewhere. */
import { mkdirSync } from 'node:fs';
import { errorCode, errorMessage, type Logger } from '../../base/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { tellReady } from '../daemon/tell-ready.ts';
import { composeContainerd } from './compose.ts';
import type { ContainerdSettings } from './flags.ts';
import { grpcHosts } from './hosts.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. */
export async function runContainerd(settings: ContainerdSettings, log: Logger): Promise<number> {
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', { error: errorMessage(error), stack: error instanceof Error ? error.stack : undefined }),
  );
  const signal = nextSignal();
  const { config, configFile, root, state, address, readyFd } = settings;
  if (config.ignored.length > 0) log.warn('keys of the configuration that mean nothing here', { file: configFile, ignored: config.ignored.join(' ') });
  try {
    using _lock = lockDataRoot(root);
    mkdirSync(state, { recursive: true, mode: 0o711 });
    await using composed = await composeContainerd(settings, log);
    const server = await serveGrpc({ hosts: grpcHosts(settings), services: composed.services, log });
    log.info('serving', { address, pid: process.pid, startMs: Math.round(performance.now()) });
    tellReady(readyFd, log);
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    log.error(`containerd failed: ${errorMessage(error)}`, { code: errorCode(error) });
    return 1;
  }
}
