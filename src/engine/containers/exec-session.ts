import type { ExecCreateRequest } from '../../api/docker/index.ts';
import type { ExitStatus, Process } from '../../core/tasks/index.ts';

type ExecState =
  | { readonly kind: 'created' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly process: Process; readonly pid: number }
  | { readonly kind: 'ended'; readonly exitCode: number; readonly pid: number };

/** One exec of the API: a request until it is started, then a process. */
export class ExecSession {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecCreateRequest;
  state: ExecState = { kind: 'created' };
  /** Resolves once the exit code can be asked for. */
  readonly exitRecorded: Promise<void>;
  readonly #tellExit: () => void;

  constructor(id: string, containerId: string, request: ExecCreateRequest) {
    this.id = id;
    this.containerId = containerId;
    this.request = request;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exitRecorded = promise;
    this.#tellExit = resolve;
  }

  get running(): boolean {
    return this.state.kind === 'running' || this.state.kind === 'starting';
  }

  started(process: Process): void {
    const { pid } = process.state();
    this.state = { kind: 'running', process, pid };
  }

  ended({ code }: Pick<ExitStatus, 'code'>): void {
    this.state = { kind: 'ended', exitCode: code, pid: this.state.kind === 'running' ? this.state.pid : 0 };
    this.#tellExit();
  }
}
