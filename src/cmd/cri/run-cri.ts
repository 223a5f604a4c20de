import { mkdirSync } from 'node:fs';
import type { Logger } from '../../base/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { runGrpc } from '../run-grpc.ts';
import { composeCri } from './compose.ts';
import type { CriSettings } from './flags.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. Pods and their containers go on. */
export async function runCri(settings: CriSettings, log: Logger): Promise<number> {
  const { root, state, address, readyFd, ignored } = settings;
  for (const key of ignored) log.warn('a key of the configuration means nothing here', { key });
  const open = async (cleanup: AsyncDisposableStack) => {
    cleanup.use(lockDataRoot(root));
    mkdirSync(state, { recursive: true, mode: 0o711 });
    return cleanup.use(await composeCri(settings, log));
  };
  return await runGrpc({ name: 'cri', address, readyFd, open }, log);
}
