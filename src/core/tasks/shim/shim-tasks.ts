/** Tasks behind containerd's shims, of whichever make: what a shim itself does for a task is its `service`; the rest is in this contract. */
import type { bootstrap, Mount, RuntimeInfo, shimTask } from '../../../api/containerd/index.ts';
import type { ServiceClient } from '../../../rpc/ttrpc/index.ts';

/** A message of a type that the shim knows: protobuf's Any. */
export interface TypedOptions {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface CreateShimTask {
  readonly namespace: string;
  readonly id: string;
  /** `io.containerd.runc.v2`: `containerd-shim-runc-v2` in PATH; or the path of a shim. */
  readonly runtime: string;
  /** config.json; absent: the bundle has none, as for a sandbox without a process. */
  readonly spec?: Uint8Array | undefined;
  /** For the shim: binary, cgroup, … */
  readonly options?: TypedOptions | undefined;
  /** Mounted by the shim on `rootfs` of the bundle. */
  readonly rootfs: readonly Pick<Mount, 'type' | 'source' | 'target' | 'options'>[];
  /** Paths of FIFOs, or URIs that the shim knows; empty: none. */
  readonly stdio: { readonly stdin: string; readonly stdout: string; readonly stderr: string; readonly terminal: boolean };
  /** A directory to restore from. */
  readonly checkpoint?: string;
  /** The task is made in this sandbox's shim, when that can have several (version 3); else its own shim is asked to. */
  readonly sandboxId?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface ShimExit {
  /** 0: not known */
  readonly pid: number;
  /** 0–255, 128 + signal; 255: not known */
  readonly code: number;
  readonly at: Date;
}

/** How a shim is reached, as its `start` told. */
export type ShimEndpoint = Pick<bootstrap.BootstrapResult, 'version' | 'address' | 'protocol'>;

export interface ShimTask {
  readonly namespace: string;
  readonly id: string;
  readonly bundle: string;
  readonly endpoint: ShimEndpoint;
  /** The shim itself, with the namespace in each call. DeadlineExceeded when it does not answer; Unavailable from the moment when it has gone. */
  readonly service: ServiceClient<typeof shimTask.Task>;
  /** Of the first process; 0 as long as a shim that was found again has not told. */
  readonly pid: number;
  /** Deletes the task from its shim, ends the shim when it has no other, and removes the bundle. A shim refuses while it runs, in its own words. Of a shim that has gone: once the task is cleaned up after. */
  delete(signal?: AbortSignal): Promise<ShimExit>;
}

export interface Recovery {
  /** Resolves when what was cleaned up after is gone. Until then a `create` of the same id waits. */
  readonly removed: Promise<void>;
}

/**
 * Starts shims and keeps hold of their tasks. A task whose shim ends without it is deleted by the shim's own command, which ends what still runs of it, and
 * `/tasks/exit` (137, or 255 when nothing is known) and `/tasks/delete` are published, unless the shim told them before. What shims publish themselves comes through `forwarding`.
 */
export interface ShimTasks {
  /** AlreadyExists for an id that its namespace has. After a failure nothing is left of it. */
  create(task: CreateShimTask): Promise<ShimTask>;
  /** NotFound when there is none. */
  get(namespace: string, id: string): ShimTask;
  /** Of one namespace, or of all. */
  list(namespace?: string): readonly ShimTask[];
  /**
   * After a start of the daemon: finds the tasks of shims that live, and begins to clean up after those that do not. A shim that does not answer holds nothing up for longer than a second; its
   * task stays.
   */
  recover(): Promise<Recovery>;
  /** What a shim says of itself (`-info`). */
  info(runtime: string, options?: TypedOptions, signal?: AbortSignal): Promise<RuntimeInfo>;
  /** Lets go of every shim. They live on, and so do their tasks. */
  close(): void;
}
