/** Container metadata: what is to be run. What runs is a task. */
import type { TypedValue } from '../typed-value.ts';

/** Which shim or runtime runs a container or sandbox, such as `io.containerd.runc.v2`, and what it is told. */
export interface RuntimeChoice {
  readonly name: string;
  readonly options: TypedValue | undefined;
}

export interface ContainerRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: RuntimeChoice;
  /** Of Linux: an OCI configuration as JSON (`specType`). */
  readonly spec: TypedValue;
  /** Empty when there is no snapshot of the container's own. */
  readonly snapshotter: string;
  readonly snapshotKey: string;
  /** Empty when it is in none. */
  readonly sandboxId: string;
  /** Of the layers above, by owner (`docker`: the Engine's document). */
  readonly extensions: Readonly<Record<string, TypedValue>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How containerd names the type of an OCI configuration, of version 1. */
export const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';

export type NewContainer = Omit<ContainerRecord, 'createdAt' | 'updatedAt'>;

/** What can change. containerd keeps an extension that a new set of them has not. Merged: those that are named; of labels the empty text takes one away. */
export type ContainerChange = Partial<Pick<ContainerRecord, 'labels' | 'image' | 'spec' | 'snapshotKey' | 'extensions'>> & {
  readonly mergeLabels?: Readonly<Record<string, string>>;
  readonly mergeExtensions?: Readonly<Record<string, TypedValue>>;
};

export interface ContainerStore {
  get(id: string): Promise<ContainerRecord>;
  /** Those that any of the filters selects, in containerd's language: `id`, `image`, `runtime.name`, `labels.NAME`. */
  list(filters?: readonly string[]): Promise<readonly ContainerRecord[]>;
  /** InvalidArgument without a runtime or a specification, or with a snapshot key alone. */
  create(container: NewContainer): Promise<ContainerRecord>;
  /** Changes the fields given, all of them or none. NotFound when absent. */
  update(id: string, change: ContainerChange): Promise<ContainerRecord>;
  delete(id: string): Promise<void>;
}
