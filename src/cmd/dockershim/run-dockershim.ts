import type { Logger } from '../../base/index.ts';
import { EngineClient } from '../../docker-client/index.ts';
import { startDockershim } from '../../dockershim/index.ts';
import { DirectLauncher, programFile } from '../../kernel/index.ts';
import { createPortDialer } from '../../network/index.ts';
import { runGrpc } from '../run-grpc.ts';
import type { DockershimSettings } from './flags.ts';
import { pauseArchive } from './pause-archive.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. */
export async function runDockershim({ address, docker, network, pauseImage, streaming, readyFd }: DockershimSettings, log: Logger): Promise<number> {
  const open = async (cleanup: AsyncDisposableStack) => {
    const dialer = createPortDialer(new DirectLauncher({ initPath: programFile('strake-init') }));
    return cleanup.use(
      await startDockershim({
        client: new EngineClient(docker),
        network,
        pauseImage: { ...pauseArchive, ...(pauseImage === undefined ? {} : { name: pauseImage }) },
        dialPort: async (options) => await dialer.dial(options),
        ...(streaming === undefined ? {} : { streaming }),
        log,
      }),
    );
  };
  return await runGrpc({ name: 'dockershim', address, readyFd, open }, log);
}
