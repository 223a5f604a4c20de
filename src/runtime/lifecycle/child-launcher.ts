import { errorMessage, StrakeError } from '../../base/index.ts';
import {
  decodeExit,
  decodeReport,
  type ExitRecord,
  encodeFrame,
  encodeProgram,
  FrameParser,
  frameTypes,
  type Op,
  programFailure,
  type Report,
} from '../../kernel/index.ts';
import type { LaunchedProgram, ProgramLauncher } from './context.ts';

/**
 * Runs each program in a `strake-init run` of its own, whose stdio is ours. Bun's own spawn and socket, on purpose: the command line exists
 * only as the compiled executable, and node:child_process with node:net cost 6 ms there against 1.5 (a whole `crun run` takes 7–11). In a library,
 * use kernel's DirectLauncher.
 */
export class ChildLauncher implements ProgramLauncher {
  private readonly initPath: string;

  constructor(initPath: string) {
    this.initPath = initPath;
  }

  async run(operations: readonly Op[]): Promise<Report> {
    return (await this.launch(operations)).report;
  }

  /** Resolves with the first report; a failed operation is thrown. */
  async launch(operations: readonly Op[]): Promise<LaunchedProgram> {
    const program = encodeFrame(frameTypes.program, encodeProgram(operations));
    const report = Promise.withResolvers<Report>();
    const exited = Promise.withResolvers<ExitRecord>();
    // A detached program ends without one, and nobody waits.
    exited.promise.catch(() => undefined);
    const parser = new FrameParser();
    const end = (why: string) => {
      const error = new StrakeError('Unavailable', `${this.initPath} ended without an answer${why}`, { fields: { layer: 'runtime' } });
      report.reject(error);
      exited.reject(error);
    };
    const socket = await connectDescriptor(this.spawn(), {
      data(_socket, chunk) {
        for (const { type, payload } of parser.push(chunk)) {
          if (type === frameTypes.report) report.resolve(decodeReport(payload));
          else if (type === frameTypes.exit) exited.resolve(decodeExit(payload));
        }
      },
      drain: (open) => flush(open),
      close: () => end(''),
      error: (_socket, error) => end(`: ${error.message}`),
    });
    let rest: Uint8Array = program;
    const flush = (open: DescriptorSocket) => {
      if (rest.length > 0) rest = rest.subarray(open.write(rest));
    };
    flush(socket);
    const answer = await report.promise;
    if (answer.failedIndex !== undefined) throw programFailure(answer, operations);
    return { report: answer, exited: exited.promise };
  }

  /** Our end of its control connection. */
  private spawn(): number {
    try {
      const child = Bun.spawn([this.initPath, 'run'], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
      return child.stdio[3] as unknown as number;
    } catch (cause) {
      const remedy = 'build it with `npm run build`; it stands beside the strake executable';
      throw new StrakeError('Unavailable', `cannot run ${this.initPath}: ${errorMessage(cause)}`, { cause, fields: { layer: 'runtime', remedy } });
    }
  }
}

interface DescriptorSocket {
  /** how many bytes were taken */
  write(data: Uint8Array): number;
}

interface SocketHandlers {
  data(socket: DescriptorSocket, chunk: Uint8Array): void;
  drain(socket: DescriptorSocket): void;
  close(socket: DescriptorSocket): void;
  error(socket: DescriptorSocket, error: Error): void;
}

/** Bun.connect over a descriptor that is connected already; its types do not know that form. */
function connectDescriptor(fd: number, socket: SocketHandlers): Promise<DescriptorSocket> {
  return (Bun.connect as unknown as (options: { fd: number; socket: SocketHandlers }) => Promise<DescriptorSocket>)({ fd, socket });
}
