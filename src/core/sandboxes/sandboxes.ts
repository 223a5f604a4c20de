/** Sandbox metadata: what a group of containers runs in. What runs of it is a shim's. */
import type { RuntimeChoice } from '../containers/containers.ts';
import type { TypedValue } from '../typed-value.ts';

export interface SandboxRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly runtime: RuntimeChoice;
  readonly spec: TypedValue | undefined;
  /** Name of the controller, such as `shim`; may be empty. */
  readonly sandboxer: string;
  readonly extensions: Readonly<Record<string, TypedValue>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type NewSandbox = Omit<SandboxRecord, 'createdAt' | 'updatedAt'>;

/** Merged: those that are named; of labels the empty text takes one away. */
export type SandboxChange = Partial<Pick<SandboxRecord, 'labels' | 'runtime' | 'spec' | 'extensions'>> & {
  readonly mergeLabels?: Readonly<Record<string, string>>;
  readonly mergeExtensions?: Readonly<Record<string, TypedValue>>;
};

export interface SandboxStore {
  get(id: string): Promise<SandboxRecord>;
  /** Those that any of the filters selects, in containerd's language: `id`, `labels.NAME`. */
  list(filters?: readonly string[]): Promise<readonly SandboxRecord[]>;
  create(sandbox: NewSandbox): Promise<SandboxRecord>;
  /** Changes the fields given, all of them or none. NotFound when absent. */
  update(id: string, change: SandboxChange): Promise<SandboxRecord>;
  delete(id: string): Promise<void>;
}
