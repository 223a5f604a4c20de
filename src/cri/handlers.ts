import type { RuntimeChoice } from '../core/index.ts';
import type { CreateTask, OciRuntimeBinary } from '../core/tasks/index.ts';
import { refused } from './refusals.ts';

/** What runs the containers of a pod: a runtime class of the cluster names one. */
export interface RuntimeHandler {
  /** Empty: the default one. */
  readonly name: string;
  /** In containerd's words, such as `io.containerd.strake.v2`. */
  readonly runtimeName: string;
  /** Another OCI runtime; ours when absent. */
  readonly binary?: OciRuntimeBinary;
  /** A shim of containerd's interface, which has the name that `runtimeName` says. */
  readonly isShim?: boolean;
  /** Pods get a process of their own: who runs them wants to see a container of the kind `sandbox` first. */
  readonly needsPause: boolean;
}

/** As records name it. */
export function choiceOf({ runtimeName }: RuntimeHandler): RuntimeChoice {
  return { name: runtimeName, options: undefined };
}

/** As tasks are told it. */
export function runtimeOf(handler: RuntimeHandler): Pick<CreateTask, 'runtime' | 'shim'> {
  const { binary, isShim = false } = handler;
  return { ...(binary === undefined ? {} : { runtime: binary }), ...(isShim ? { shim: choiceOf(handler) } : {}) };
}

/** Ours, in this process. */
export function isOwn({ binary, isShim = false }: RuntimeHandler): boolean {
  return binary === undefined && !isShim;
}

export class RuntimeHandlers {
  readonly #handlers: ReadonlyMap<string, RuntimeHandler>;

  constructor(handlers: readonly RuntimeHandler[]) {
    this.#handlers = new Map(handlers.map((handler) => [handler.name, handler]));
  }

  /** InvalidArgument for a name that nothing stands for. */
  get(name: string): RuntimeHandler {
    const handler = this.#handlers.get(name);
    if (handler === undefined) throw refused('InvalidArgument', `no runtime for ${JSON.stringify(name)} is configured`, { handler: name });
    return handler;
  }

  list(): readonly RuntimeHandler[] {
    return [...this.#handlers.values()];
  }
}
