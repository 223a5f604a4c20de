/** The life of `strake cri`: lock, listen, wait for a signal, close. What it serves is composed elsewhere. */
import { mkdirSync } from 'node:fs';
import { errorCode, errorMessage, type Logger } from '../../base/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { tellReady } from '../daemon/tell-ready.ts';
import { composeCri } from './compose.ts';
import type { CriSettings } from './flags.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. Pods and their containers go on. */
export async function runCri(settings: CriSettings, log: Logger): Promise<number> {
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', { error: errorMessage(error), stack: error instanceof Error ? error.stack : undefined }),
  );
  const signal = nextSignal();
  const { root, state, address, readyFd, ignored } = settings;
  for (const key of ignored) log.warn('a key of the configuration means nothing here', { key });
  try {
    using _lock = lockDataRoot(root);
    mkdirSync(state, { recursive: true, mode: 0o711 });
    await using composed = await composeCri(settings, log);
    const server = await serveGrpc({ hosts: [{ kind: 'unix', path: address, groupId: 0 }], services: composed.services, log });
    log.info('serving', { address, pid: process.pid, startMs: Math.round(performance.now()) });
    tellReady(readyFd, log);
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    log.error(`cri failed: ${errorMessage(error)}`, { code: errorCode(error) });
    return 1;
  }
}
