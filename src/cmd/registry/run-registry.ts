/** The life of a registry: lock, listen, wait for a signal, close. What it serves is composed elsewhere. */
import { readFileSync } from 'node:fs';
import type { Logger } from '../../base/index.ts';
import { type HandleRequest, type Metrics, type ServerOptions, startServer } from '../../registry/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
import { logFailure } from '../daemon/log-failure.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { tellReady } from '../daemon/tell-ready.ts';
import { composeRegistry } from './compose.ts';
import type { RegistryFlags } from './flags.ts';

/** Serves until SIGTERM or SIGINT; answers the exit status. */
export async function runRegistry(flags: RegistryFlags, log: Logger): Promise<number> {
  const signal = nextSignal();
  try {
    using _lock = lockDataRoot(flags.root);
    await using composed = await composeRegistry(flags, log);
    await using servers = new AsyncDisposableStack();
    const serve = async (options: ServerOptions) => {
      const server = await startServer(options);
      servers.defer(async () => await server.close());
      return `${options.host}:${server.port}`;
    };
    const { handle, metrics } = composed;
    const address = await serve({ ...flags.address, tls: readTls(flags), handle, log, onAnswered: metrics.answered });
    const measured = flags.metricsAddress && (await serve({ ...flags.metricsAddress, handle: metricsPage(metrics), log }));
    log.info(`registry listens on ${address}`, { root: flags.root, metrics: measured, pid: process.pid });
    tellReady(flags.readyFd, log);
    log.info(`processing signal '${await signal}'`);
    return 0;
  } catch (error) {
    logFailure(log, 'registry failed', error);
    return 1;
  }
}

function readTls({ tls }: RegistryFlags): ServerOptions['tls'] {
  return tls && { certificate: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
}

function metricsPage({ contentType, text }: Metrics): HandleRequest {
  return async ({ path }) =>
    path === '/metrics' ? { status: 200, headers: { 'Content-Type': contentType }, body: await text() } : { status: 404, body: '404 page not found\n' };
}
