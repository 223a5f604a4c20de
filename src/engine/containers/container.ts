import { Mutex } from '../../base/index.ts';
import type { Attachment, AttachOptions, Task } from '../../core/tasks/index.ts';
import type { ContainerDocument } from './document.ts';
import type { ExecSession } from './exec-session.ts';
import { isRunning, type Lifecycle } from './lifecycle.ts';

export interface ContainerExit {
  readonly exitCode: number;
  /** Why it was removed without having ended well. */
  readonly error?: string;
}

/** A client that attached before the start. */
export interface PendingAttachment {
  readonly options: AttachOptions;
  readonly attached: PromiseWithResolvers<Attachment>;
}

/** A container in memory. Its document changes by `change` alone; what changes its lifecycle holds `mutex`. */
export class Container {
  readonly id: string;
  readonly mutex = new Mutex();
  readonly execs = new Map<string, ExecSession>();
  readonly pendingAttachments = new Set<PendingAttachment>();
  readonly restart = { delayMs: 0, timer: undefined as NodeJS.Timeout | undefined };
  document: ContainerDocument;
  task: Task | undefined;
  private readonly exitWaiters = new Set<(exit: ContainerExit) => void>();
  private readonly removalWaiters = new Set<(exit: ContainerExit) => void>();
  private readonly stopWaiters = new Set<() => void>();

  constructor(id: string, document: ContainerDocument) {
    this.id = id;
    this.document = document;
  }

  get name(): string {
    return this.document.name;
  }

  get lifecycle(): Lifecycle {
    return this.document.lifecycle;
  }

  get running(): boolean {
    return isRunning(this.document.lifecycle);
  }

  change(change: Partial<ContainerDocument>): void {
    this.document = { ...this.document, ...change };
  }

  onExit(listener: (exit: ContainerExit) => void): () => void {
    this.exitWaiters.add(listener);
    return () => this.exitWaiters.delete(listener);
  }

  onRemoved(listener: (exit: ContainerExit) => void): () => void {
    this.removalWaiters.add(listener);
    return () => this.removalWaiters.delete(listener);
  }

  /** The end of this run, with everything of it cleaned up; a restart may follow. */
  onStopped(listener: () => void): () => void {
    this.stopWaiters.add(listener);
    return () => this.stopWaiters.delete(listener);
  }

  tellExit(exit: ContainerExit): void {
    drain(this.exitWaiters, exit);
  }

  tellStopped(): void {
    drain(this.stopWaiters, undefined);
  }

  tellRemoved(exit: ContainerExit): void {
    drain(this.exitWaiters, exit);
    drain(this.stopWaiters, undefined);
    drain(this.removalWaiters, exit);
  }
}

function drain<T>(listeners: Set<(value: T) => void>, value: T): void {
  const all = [...listeners];
  listeners.clear();
  for (const listener of all) listener(value);
}
