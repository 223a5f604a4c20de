import { StrakeError, untilAborted } from '../base/index.ts';
import type { Process } from '../core/tasks/index.ts';
import type { ProcessSpec } from '../oci/index.ts';

export interface ExecRequest {
  readonly process: ProcessSpec;
  readonly stdio: { readonly stdin: string; readonly stdout: string; readonly stderr: string; readonly terminal: boolean };
}

/** An exec that is known: nothing runs of it before its start. */
export class WaitingExec {
  readonly process: ProcessSpec;
  readonly stdio: ExecRequest['stdio'];
  private readonly process_ = Promise.withResolvers<Process>();
  private begun = false;

  constructor({ process, stdio }: ExecRequest) {
    this.process = process;
    this.stdio = stdio;
    // Nobody may be waiting when it is deleted.
    this.process_.promise.catch(() => undefined);
  }

  /** Has `launch` make and start it, once; its pid. After a failure it may be tried again. */
  async starting(launch: () => Promise<Process>): Promise<number> {
    if (this.begun) throw new StrakeError('FailedPrecondition', 'cannot start a process that has been started', { fields: { layer: 'shim' } });
    this.begun = true;
    try {
      const process = await launch();
      this.process_.resolve(process);
      return process.state().pid;
    } catch (error) {
      this.begun = false;
      throw error;
    }
  }

  /** The process, from its start on. */
  async started(signal: AbortSignal): Promise<Process> {
    return await untilAborted(this.process_.promise, signal);
  }

  forget(): void {
    this.process_.reject(new StrakeError('NotFound', 'the process was deleted before it was started', { fields: { layer: 'shim' } }));
  }
}

/** Execs of all tasks, from their request to their deletion. */
export class ExecTable {
  private readonly tasks = new Map<string, Map<string, WaitingExec>>();

  add(id: string, execId: string, request: ExecRequest): void {
    const execs = this.tasks.get(id) ?? new Map<string, WaitingExec>();
    if (execs.has(execId)) throw new StrakeError('AlreadyExists', `id ${execId}`, { fields: { layer: 'shim', container: id } });
    execs.set(execId, new WaitingExec(request));
    this.tasks.set(id, execs);
  }

  get(id: string, execId: string): WaitingExec | undefined {
    return this.tasks.get(id)?.get(execId);
  }

  has(id: string, execId: string): boolean {
    return this.get(id, execId) !== undefined;
  }

  /** Whether there was one. */
  delete(id: string, execId: string): boolean {
    this.get(id, execId)?.forget();
    return this.tasks.get(id)?.delete(execId) ?? false;
  }

  deleteAll(id: string): void {
    for (const execId of this.tasks.get(id)?.keys() ?? []) this.delete(id, execId);
    this.tasks.delete(id);
  }
}
