/** Who runs tasks: this process, or shims. The shape of both is core/tasks/shim's. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Mount, RuntimeInfoSchema, shimTask } from '../../api/containerd/index.ts';
import type { TypedValue } from '../../core/index.ts';
import type { ServiceClient } from '../../rpc/ttrpc/index.ts';

export interface NewTask {
  readonly namespace: string;
  readonly id: string;
  /** `io.containerd.runc.v2`, or the path of a shim */
  readonly runtime: string;
  /** config.json */
  readonly spec: Uint8Array;
  readonly options: TypedValue | undefined;
  readonly rootfs: readonly Pick<Mount, 'type' | 'source' | 'target' | 'options'>[];
  readonly stdio: { readonly stdin: string; readonly stdout: string; readonly stderr: string; readonly terminal: boolean };
  /** A directory to restore from. */
  readonly checkpoint?: string;
  /** Whose shim may have it too. */
  readonly sandboxId?: string;
  readonly signal: AbortSignal;
}

export interface TaskExit {
  readonly pid: number;
  readonly code: number;
  readonly at: Date;
}

export interface HostedTask {
  readonly namespace: string;
  readonly id: string;
  readonly pid: number;
  readonly service: ServiceClient<typeof shimTask.Task>;
  delete(signal?: AbortSignal): Promise<TaskExit>;
}

export interface TaskHost {
  create(task: NewTask): Promise<HostedTask>;
  /** NotFound when there is none. */
  get(namespace: string, id: string): HostedTask;
  list(namespace: string): readonly HostedTask[];
  /** What would run a task, and what it can do. NotFound where no such runtime is installed. */
  info(runtime: string, options: TypedValue | undefined, signal: AbortSignal): Promise<MessageInitShape<typeof RuntimeInfoSchema>>;
}
