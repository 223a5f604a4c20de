/** Who runs sandboxes: this process, or shims. */
import type { Any } from '@bufbuild/protobuf/wkt';
import type { Mount, shimSandbox } from '../../api/containerd/index.ts';
import type { TypedValue } from '../../core/index.ts';
import type { ServiceClient } from '../../rpc/ttrpc/index.ts';

export interface NewRunningSandbox {
  readonly namespace: string;
  readonly id: string;
  /** `io.containerd.runc.v2`, or the path of a shim */
  readonly runtime: string;
  /** Of the runtime. */
  readonly runtimeOptions: TypedValue | undefined;
  /** config.json, where it is one of the OCI's */
  readonly spec: Uint8Array | undefined;
  readonly rootfs: readonly Pick<Mount, 'type' | 'source' | 'target' | 'options'>[];
  /** For the sandbox's shim, whatever it makes of them. */
  readonly options: Any | undefined;
  readonly netnsPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface RunningSandbox {
  readonly service: ServiceClient<typeof shimSandbox.Sandbox>;
  /** Where tasks of the sandbox are served, and in which version; empty in process. */
  readonly address: string;
  readonly version: number;
}

export interface SandboxHost {
  /** AlreadyExists for an id that its namespace has. After a failure nothing is left of it. */
  create(sandbox: NewRunningSandbox): Promise<void>;
  has(namespace: string, id: string): boolean;
  /** NotFound when there is none; Unavailable when its shim has gone. */
  open(namespace: string, id: string): Promise<RunningSandbox>;
  /** After its shutdown, or when its shim has gone: removes what is left of it. */
  remove(namespace: string, id: string): Promise<void>;
}
