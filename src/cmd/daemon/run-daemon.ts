/** The life of a daemon: lock, listen, wait for a signal, close. What it serves is composed elsewhere. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Logger, StrakeError } from '../../base/index.ts';
import { otherDaemonStatus } from '../../cli/daemon-status.ts';
import { type Engine, serveEngine } from '../../engine/index.ts';
import { lockDataRoot } from './data-root-lock.ts';
import type { DaemonFlags } from './flags.ts';
import { groupId, parseHost } from './hosts.ts';
import { logFailure } from './log-failure.ts';
import { logRejections } from './log-rejections.ts';
import { nextSignal } from './next-signal.ts';
import { tellReady } from './tell-ready.ts';

export interface ComposedEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** Serves containerd's API over the engine's core, at this socket. */
  openContainerd(address: string, groupId: number): Promise<AsyncDisposable>;
}

/** Serves until SIGTERM or SIGINT; answers the exit status. Containers are left running: the next daemon finds them again. */
export async function runDaemon(flags: DaemonFlags, log: Logger, compose: (flags: DaemonFlags, log: Logger) => Promise<ComposedEngine>): Promise<number> {
  logRejections(log);
  const signal = nextSignal();
  try {
    const group = groupId(flags.group);
    const hosts = flags.hosts.map((host) => parseHost(host, group));
    using _lock = lockDataRoot(flags.dataRoot);
    mkdirSync(flags.execRoot, { recursive: true, mode: 0o711 });
    await using composed = await compose(flags, log);
    await composed.engine.recover();
    await using _containerd = flags.containerdSocket === undefined ? undefined : await composed.openContainerd(flags.containerdSocket, group);
    const server = await serveEngine(composed.engine, { hosts });
    using _pid = writePidFile(flags.pidFile);
    for (const host of flags.hosts) log.info(`API listen on ${host}`);
    tellReady(flags.readyFd, log);
    log.info('daemon has completed initialization', { pid: process.pid, startMs: Math.round(performance.now()) });
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    logFailure(log, 'failed to start daemon', error);
    return isLockedOut(error) ? otherDaemonStatus : 1;
  }
}

function isLockedOut(error: unknown): boolean {
  return error instanceof StrakeError && error.fields.operation === 'lock';
}

function writePidFile(file: string | undefined): Disposable {
  if (file !== undefined) writeFileSync(file, `${process.pid}\n`, { mode: 0o644 });
  return {
    [Symbol.dispose]() {
      if (file !== undefined && isOurs(file)) rmSync(file, { force: true });
    },
  };
}

function isOurs(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').trim() === String(process.pid);
  } catch {
    return false;
  }
}
