/** Container metadata: what is to be run. What runs is a task. */
import type { RuntimeSpec } from '../../oci/index.ts';

export interface ContainerRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly snapshotKey: string;
  readonly spec: RuntimeSpec | undefined;
  /** Opaque JSON of the layers above, by owner (`docker`: the Engine's container configuration). */
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type NewContainer = Pick<ContainerRecord, 'id' | 'labels' | 'image' | 'snapshotKey' | 'spec' | 'extensions'>;

export interface ContainerStore {
  get(id: string): Promise<ContainerRecord>;
  /** Those that any of the filters selects, in containerd's language: `id`, `image`, `labels.NAME`. */
  list(filters?: readonly string[]): Promise<readonly ContainerRecord[]>;
  create(container: NewContainer): Promise<ContainerRecord>;
  /** Replaces the fields given. NotFound when absent. */
  update(id: string, change: Partial<Omit<NewContainer, 'id'>>): Promise<ContainerRecord>;
  delete(id: string): Promise<void>;
}
