/** The life of a kubelet: lock, run what the manifests say, wait for a signal, leave the pods as they are. */
import { mkdirSync } from 'node:fs';
import { errorMessage, type Logger } from '../../base/index.ts';
import { desiredOf, ManifestDirectories, playedDirectory, serveStatus } from '../../kubelet/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { logFailure } from '../daemon/log-failure.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { tellReady } from '../daemon/tell-ready.ts';
import { composeKubelet } from './compose.ts';
import type { KubeletFlags } from './flags.ts';

const healthTimeoutMs = 5000;

/** Runs until SIGTERM or SIGINT; answers the exit status. */
export async function runKubelet(flags: KubeletFlags, log: Logger): Promise<number> {
  const signal = nextSignal();
  try {
    using _lock = lockDataRoot(flags.rootDir);
    await using composed = await composeKubelet(flags, true, log);
    const { kubelet, cri } = composed;
    // Watched from the start, so that it must be there.
    mkdirSync(playedDirectory(flags.rootDir), { recursive: true, mode: 0o700 });
    const directories = new ManifestDirectories([...flags.manifests, playedDirectory(flags.rootDir)], log);
    const update = async (): Promise<void> => await kubelet.run(desiredOf(directories.read(), log));
    await update();
    using _watch = directories.watch(() => void update().catch((error: unknown) => log.error('manifests cannot be read', { error: errorMessage(error) })));
    const healthy = async (): Promise<void> => void (await cri.runtime.version({}, { timeoutMs: healthTimeoutMs }));
    await using _server = flags.readOnly && (await serveStatus({ ...flags.readOnly, pods: () => kubelet.pods(), healthy }));
    log.info('kubelet runs', { cri: flags.cri, manifests: flags.manifests, port: _server?.port, pid: process.pid });
    tellReady(flags.readyFd, log);
    log.info(`processing signal '${await signal}'`);
    return 0;
  } catch (error) {
    logFailure(log, 'kubelet failed', error);
    return 1;
  }
}
