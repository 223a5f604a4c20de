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

  constructor(id: string, containerId: string, request: ExecCreateRequest) {
    this.id = id;
    this.containerId = containerId;
    this.request = request;
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
  }
}
