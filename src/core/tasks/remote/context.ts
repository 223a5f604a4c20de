import type { Logger } from '../../../base/index.ts';
import type { CgroupDirectories, CgroupLayout, Launcher } from '../../../kernel/index.ts';
import type { ContainerStore, RuntimeChoice } from '../../containers/containers.ts';
import type { TasksClient } from './remote-process.ts';
import type { TaskRecord } from './task-record.ts';

/** What the tasks of one manager share. */
export interface RemoteContext {
  readonly client: TasksClient;
  /** Of the same namespace. */
  readonly containers: ContainerStore;
  readonly runtime: RuntimeChoice;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly log: Logger;
  readonly layout: CgroupLayout;
  readonly cgroupOf: (record: TaskRecord) => CgroupDirectories;
  /** What a privileged exec may have. */
  readonly availableCapabilities: readonly string[];
}
