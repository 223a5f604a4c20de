import { timestampDate } from '@bufbuild/protobuf/wkt';
import { errorMessage, isCode, type Logger } from '../../../base/index.ts';
import type { Bundle } from './bundle.ts';
import { connectShim, type ShimConnection, type TaskService } from './shim-connection.ts';
import type { ShimLog } from './shim-log.ts';
import type { ShimEndpoint, ShimExit, ShimTask } from './shim-tasks.ts';

export interface ManagedTaskOptions {
  readonly namespace: string;
  readonly id: string;
  readonly bundle: Bundle;
  readonly endpoint: ShimEndpoint;
  readonly log: Logger;
  /** How long a shim is waited for whose task nobody wants. */
  readonly discardTimeoutMs: number;
  /** Reads what the shim says, as long as the task is held. */
  readonly shimLog: ShimLog | undefined;
  /** Has the shim's own command end the task. Never rejects. */
  readonly deleteByCommand: () => Promise<unknown>;
  /** Ends a shim that does not answer, unless it has others' tasks. */
  readonly killShim: () => void;
  /** The shim has gone while the task was there: cleans up after it, and says how the task ended. Called once, never rejects. */
  readonly onLost: (task: ManagedTask) => Promise<ShimExit>;
  /** The shim has deleted the task, and may end now: once it has told so. */
  readonly onDeleting: (exit: ShimExit) => Promise<void>;
  /** The task is deleted, and so is its bundle. */
  readonly onDeleted: () => void;
}

const connectTimeoutMs = 5_000;
/** As containerd gives it. */
const shutdownTimeoutMs = 3_000;
/** A shim that ends a connection and takes the next one has not gone. One that does it again and again has. */
const maxReconnects = 16;

/** One task, and the connection to its shim. */
export class ManagedTask implements ShimTask {
  readonly namespace: string;
  readonly id: string;
  readonly endpoint: ShimEndpoint;
  pid = 0;
  private readonly options: ManagedTaskOptions;
  private connection: ShimConnection;
  private reconnects = 0;
  /** The connection's end is no news any more: the task is deleted, or let go by us. */
  private isReleased = false;
  private isLost = false;
  private readonly lost = Promise.withResolvers<ShimExit>();

  private constructor(options: ManagedTaskOptions, connection: ShimConnection) {
    this.options = options;
    this.namespace = options.namespace;
    this.id = options.id;
    this.endpoint = options.endpoint;
    this.connection = connection;
    this.watch();
  }

  /** Unavailable when no shim listens. */
  static async connect(options: ManagedTaskOptions, signal?: AbortSignal): Promise<ManagedTask> {
    return new ManagedTask(options, await connect(options, signal));
  }

  get bundle(): string {
    return this.options.bundle.directory;
  }

  get service(): TaskService {
    return this.connection.task;
  }

  async delete(signal?: AbortSignal): Promise<ShimExit> {
    try {
      const { pid, exitStatus, exitedAt } = await this.service.delete({ id: this.id }, { signal });
      const exit = { pid, code: exitStatus, at: exitedAt === undefined ? new Date() : timestampDate(exitedAt) };
      this.isReleased = true;
      await this.options.onDeleting(exit);
      await this.shutDown();
      await this.remove();
      return exit;
    } catch (error) {
      // The shim has gone: then the task is deleted without it.
      if (isCode(error, 'Unavailable') && (this.isLost || !this.isReleased)) return await this.lost.promise;
      throw error;
    }
  }

  /**
   * Ends a task that nobody got, and its shim unless that has others. What they do not do, the shim's own command does. `unfinished`: the daemon died in the midst of the creation,
   * which the shim then broke off; it knows nothing of what its runtime has made by then.
   */
  async discard({ unfinished = false } = {}): Promise<void> {
    const { deleteByCommand, discardTimeoutMs, log } = this.options;
    this.isReleased = true;
    let isUnknown = false;
    try {
      await this.service.delete({ id: this.id }, { timeoutMs: discardTimeoutMs });
    } catch (error) {
      isUnknown = isCode(error, 'NotFound');
      if (!isUnknown) {
        log.warn('a shim did not delete its task', { error: errorMessage(error) });
        await deleteByCommand();
      }
    }
    if (!(await this.shutDown(discardTimeoutMs))) this.options.killShim();
    if (unfinished && isUnknown) await deleteByCommand();
    await this.remove();
  }

  /** Lets go of the shim, which lives on. */
  release(): void {
    this.isReleased = true;
    this.connection.close();
    this.options.shimLog?.close();
  }

  private watch(): void {
    void this.connection.ended.then(async () => {
      if (this.isReleased) return;
      if (this.reconnects < maxReconnects && (await this.reconnect())) return this.watch();
      if (this.isReleased) return;
      this.isLost = true;
      this.release();
      this.lost.resolve(await this.options.onLost(this));
    });
  }

  private async reconnect(): Promise<boolean> {
    this.reconnects++;
    try {
      this.connection = await connect(this.options);
    } catch {
      return false;
    }
    if (this.isReleased) this.connection.close();
    else this.options.log.debug('a shim ended its connection, and took another one');
    return !this.isReleased;
  }

  /** False when the shim does not answer. */
  private async shutDown(timeoutMs = shutdownTimeoutMs): Promise<boolean> {
    try {
      await this.service.shutdown({ id: this.id }, { timeoutMs: Math.min(timeoutMs, shutdownTimeoutMs) });
    } catch (error) {
      // It may end faster than it answers.
      if (isCode(error, 'Unavailable')) return true;
      this.options.log.warn('a shim did not end', { error: errorMessage(error) });
      return !isCode(error, 'DeadlineExceeded');
    }
    return true;
  }

  private async remove(): Promise<void> {
    const { bundle, log, onDeleted } = this.options;
    this.release();
    await bundle.remove(log).catch((error: unknown) => log.error('a bundle was not removed', { bundle: this.bundle, error: errorMessage(error) }));
    onDeleted();
  }
}

async function connect({ endpoint, namespace }: ManagedTaskOptions, signal?: AbortSignal): Promise<ShimConnection> {
  return await connectShim({ endpoint, namespace, timeoutMs: connectTimeoutMs, signal });
}
