/** The life of `strake dockershim`: listen, wait for a signal, close. */
import { errorCode, errorMessage, type Logger } from '../../base/index.ts';
import { EngineClient } from '../../docker-client/index.ts';
import { startDockershim } from '../../dockershim/index.ts';
import { DirectLauncher, programFile } from '../../kernel/index.ts';
import { createPortDialer } from '../../network/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { tellReady } from '../daemon/tell-ready.ts';
import type { DockershimSettings } from './flags.ts';
import { pauseArchive } from './pause-archive.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. */
export async function runDockershim({ address, docker, network, pauseImage, streaming, readyFd }: DockershimSettings, log: Logger): Promise<number> {
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', { error: errorMessage(error), stack: error instanceof Error ? error.stack : undefined }),
  );
  const signal = nextSignal();
  try {
    const dialer = createPortDialer(new DirectLauncher({ initPath: programFile('strake-init') }));
    await using shim = await startDockershim({
      client: new EngineClient(docker),
      network,
      pauseImage: { ...pauseArchive, ...(pauseImage === undefined ? {} : { name: pauseImage }) },
      dialPort: async (options) => await dialer.dial(options),
      ...(streaming === undefined ? {} : { streaming }),
      log,
    });
    const server = await serveGrpc({ hosts: [{ kind: 'unix', path: address, groupId: 0 }], services: shim.services, log });
    log.info('serving', { address, pid: process.pid });
    tellReady(readyFd, log);
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    log.error(`dockershim failed: ${errorMessage(error)}`, { code: errorCode(error) });
    return 1;
  }
}
