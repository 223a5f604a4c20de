import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { StrakeError } from '../../base/index.ts';
import type { Op } from '../program/index.ts';
import type { LaunchOptions } from './connection.ts';
import type { FileSession } from './file-session.ts';
import { FrameSocket } from './frame-socket.ts';
import type { PortRelay } from './port-relay.ts';
import type { Report } from './records.ts';
import { fileSessionOver, launchOver, portRelayOver } from './served.ts';
import type { Launched, Launcher } from './zygote.ts';

export interface DirectOptions {
  /** The strake-init executable. */
  readonly initPath: string;
}

/**
 * Runs each program in a `strake-init run` of its own: the OCI command line must be the ancestor of the container's process. A program without
 * `monitor` inherits descriptors 0–2.
 */
export class DirectLauncher implements Launcher {
  private readonly options: DirectOptions;

  constructor(options: DirectOptions) {
    this.options = options;
  }

  async run(operations: readonly Op[], options: LaunchOptions = {}): Promise<Report> {
    const { connection, report } = await this.launch(operations, options);
    connection.close();
    return report;
  }

  async launch(operations: readonly Op[], options: LaunchOptions = {}): Promise<Launched> {
    return await launchOver(this.spawnInit(), operations, options);
  }

  async fileSession(operations: readonly Op[], options: LaunchOptions = {}): Promise<FileSession> {
    return await fileSessionOver(this.spawnInit(), operations, options);
  }

  async portRelay(operations: readonly Op[], options: LaunchOptions = {}): Promise<PortRelay> {
    return await portRelayOver(this.spawnInit(), operations, options);
  }

  private spawnInit(): FrameSocket {
    const { initPath } = this.options;
    const child = spawn(initPath, ['run'], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
    const control = child.stdio[3] as Socket | null;
    const failure = (why: string, cause?: Error) =>
      new StrakeError('Unavailable', `${initPath} did not start${why}`, {
        cause,
        fields: { layer: 'kernel', remedy: 'build it with `npm run build`; it stands beside the strake executable' },
      });
    // Heard in any case: an error that nobody hears ends this process.
    child.once('error', (error) => control?.destroy(failure(`: ${error.message}`, error)));
    if (!control) throw failure('');
    return new FrameSocket(control);
  }
}
