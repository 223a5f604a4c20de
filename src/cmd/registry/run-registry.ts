/** The life of a registry: lock, listen, wait for a signal, close. What it serves is composed elsewhere. */
import { readFileSync } from 'node:fs';
import { errorCode, errorMessage, type Logger } from '../../base/index.ts';
import { type ServerOptions, startServer } from '../../registry/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';
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
    const server = await startServer({ ...flags.address, tls: readTls(flags), handle: composed.handle, log });
    log.info(`registry listens on ${flags.address.host}:${server.port}`, { root: flags.root, pid: process.pid });
    tellReady(flags.readyFd, log);
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    log.error(`registry failed: ${errorMessage(error)}`, { code: errorCode(error) });
    return 1;
  }
}

function readTls({ tls }: RegistryFlags): ServerOptions['tls'] {
  return tls && { certificate: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
}
