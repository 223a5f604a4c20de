import type { Logger } from '../base/index.ts';
import { type GrpcHost, type GrpcService, serveGrpc } from '../rpc/grpc/index.ts';
import { logFailure } from './daemon/log-failure.ts';
import { logRejections } from './daemon/log-rejections.ts';
import { nextSignal } from './daemon/next-signal.ts';
import { tellReady } from './daemon/tell-ready.ts';

export interface GrpcLife {
  /** the subcommand */
  readonly name: string;
  /** Path of the unix socket. */
  readonly address: string;
  readonly readyFd: number | undefined;
  /** Makes what is served. What is opened goes with `cleanup`, once nobody is served any more. */
  open(cleanup: AsyncDisposableStack): Promise<{ readonly services: readonly GrpcService[]; readonly hosts?: readonly GrpcHost[] }>;
}

/** The life of a face that speaks gRPC: open, listen, wait for SIGTERM or SIGINT, close. Answers the exit status. */
export async function runGrpc({ name, address, readyFd, open }: GrpcLife, log: Logger): Promise<number> {
  logRejections(log);
  const signal = nextSignal();
  try {
    await using cleanup = new AsyncDisposableStack();
    const { services, hosts = [{ kind: 'unix', path: address, groupId: 0 }] } = await open(cleanup);
    const server = await serveGrpc({ hosts, services, log });
    log.info('serving', { address, pid: process.pid, startMs: Math.round(performance.now()) });
    tellReady(readyFd, log);
    log.info(`processing signal '${await signal}'`);
    await server.close();
    return 0;
  } catch (error) {
    logFailure(log, `${name} failed`, error);
    return 1;
  }
}
