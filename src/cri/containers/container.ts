import type { criContainer, criLinux } from '../../api/cri/index.ts';
import { Mutex } from '../../base/index.ts';
import type { Task } from '../../core/tasks/index.ts';
import type { UserSpec } from '../../oci/index.ts';
import type { Pod } from '../pods/pod.ts';
import { refused } from '../refusals.ts';

/** Times are ns since the epoch. */
export type ContainerLifecycle =
  | { readonly status: 'created' }
  | {
      readonly status: 'running';
      readonly startedAt: bigint;
      /** One of its processes was killed for memory. */
      readonly oomKilled?: boolean;
    }
  | {
      readonly status: 'exited';
      /** 0: it never ran */
      readonly startedAt: bigint;
      readonly finishedAt: bigint;
      readonly exitCode: number;
      /** One word; empty: as the exit code says. */
      readonly reason: string;
      readonly message: string;
    };

export interface ContainerFacts {
  readonly id: string;
  readonly podId: string;
  readonly name: string;
  readonly config: criContainer.ContainerConfig;
  readonly createdAt: bigint;
  /** `sha256:…` of its configuration */
  readonly imageId: string;
  /** The names that the image had when the container was made. */
  readonly imageNames: { readonly repoTags: readonly string[]; readonly repoDigests: readonly string[] };
  /** Absolute; empty: it has no log. */
  readonly logPath: string;
  readonly stopSignal: string;
  readonly user: UserSpec;
}

/** A container of a pod. Whoever changes it holds its mutex; the end of its process is noted whenever it comes. */
export class Container {
  readonly facts: ContainerFacts;
  readonly mutex = new Mutex();
  lifecycle: ContainerLifecycle;
  /** What an update said last, or the configuration. */
  resources: criLinux.LinuxContainerResources | undefined;
  /** Its processes, from its start to its end. */
  task: Task | undefined;
  /** Resolves when the end of the run is noted. */
  ended: Promise<void> = Promise.resolve();

  constructor(facts: ContainerFacts, lifecycle: ContainerLifecycle) {
    this.facts = facts;
    this.lifecycle = lifecycle;
    this.resources = facts.config.linux?.resources;
  }

  get id(): string {
    return this.facts.id;
  }

  get name(): string {
    return this.facts.name;
  }

  get podId(): string {
    return this.facts.podId;
  }

  /** Its processes. FailedPrecondition unless it runs. */
  runningTask(): Task {
    const { task, lifecycle, id } = this;
    if (task === undefined || lifecycle.status !== 'running')
      throw refused('FailedPrecondition', `container ${JSON.stringify(id)} is in ${lifecycle.status} state`, { container: id });
    return task;
  }
}

/** Of one try of one container of one try of a pod. */
export function containerName({ metadata }: criContainer.ContainerConfig, pod: Pod): string {
  const { name, namespace, uid } = pod.config.metadata ?? {};
  return [metadata?.name, name, namespace, uid, metadata?.attempt].join('_');
}
