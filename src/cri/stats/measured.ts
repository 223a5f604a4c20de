/** Pods and containers as their figures are asked for: what is measured, and the names that the figures come under. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criLinux, criStats } from '../../api/cri/index.ts';
import type { Task } from '../../core/tasks/index.ts';

export interface MeasuredContainer {
  readonly podId: string;
  readonly attributes: Attributes<typeof criStats.ContainerAttributesSchema>;
  /** Its name, as the user wrote it. */
  readonly image: string;
  /** ns since the epoch; 0n: it has not started. */
  readonly startedAt: bigint;
  /** Absent: no process runs. */
  readonly task: Pick<Task, 'stats' | 'pids' | 'state'> | undefined;
  readonly resources: criLinux.LinuxContainerResources | undefined;
  /** Of its writable layer. */
  readonly snapshotKey: string;
}

export interface MeasuredPod {
  readonly attributes: Attributes<typeof criStats.PodSandboxAttributesSchema>;
  readonly isReady: boolean;
  /** What its containers are below, from the hierarchies' roots; undefined: no cgroup is the pod's alone. */
  readonly cgroupPath: string | undefined;
  readonly containers: readonly MeasuredContainer[];
}

/** With an id: nothing is measured that has none. */
type Attributes<Schema extends typeof criStats.ContainerAttributesSchema | typeof criStats.PodSandboxAttributesSchema> = MessageInitShape<Schema> & {
  readonly id: string;
};

/** Where they are found. */
export interface Measured {
  pods(): readonly MeasuredPod[];
  /** By an id, or the beginning of one. NotFound. */
  pod(id: string): MeasuredPod;
  container(id: string): MeasuredContainer;
}
