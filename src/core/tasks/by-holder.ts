import type { Op } from '../../kernel/index.ts';
import type { CreateTask, Task, TaskManager } from './tasks.ts';

/** Tasks of which some name a shim that is to hold them: those are of another manager. An id is of one of the two. */
export class TasksByHolder implements TaskManager {
  readonly #own: TaskManager;
  readonly #shims: TaskManager;

  constructor({ own, shims }: { readonly own: TaskManager; readonly shims: TaskManager }) {
    this.#own = own;
    this.#shims = shims;
  }

  async create(task: CreateTask): Promise<Task> {
    return await this.#of(task).create(task);
  }

  plan(task: CreateTask): readonly Op[] {
    return this.#of(task).plan(task);
  }

  get(id: string): Task {
    return this.#shims.list().find((task) => task.id === id) ?? this.#own.get(id);
  }

  list(): readonly Task[] {
    return [...this.#own.list(), ...this.#shims.list()];
  }

  async recover(): Promise<void> {
    await this.#own.recover();
    await this.#shims.recover();
  }

  #of({ shim }: CreateTask): TaskManager {
    return shim === undefined ? this.#own : this.#shims;
  }
}
