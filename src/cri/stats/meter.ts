import type { MessageInitShape } from '@bufbuild/protobuf';
import { type criStats, interfaceUsage } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import type { ReadCgroup, TaskStats } from '../../core/tasks/index.ts';
import type { InterfaceCounters } from '../../network/index.ts';
import { nsOf } from '../clock.ts';
import type { CountedUsage, SnapshotUsages } from '../images/usage.ts';
import { CpuRates } from './cpu-rates.ts';
import type { MeasuredContainer, MeasuredPod } from './measured.ts';
import { usagesOf } from './usage.ts';

export interface MeterOptions {
  readonly usages: Pick<SnapshotUsages, 'of'>;
  /** A directory on the file system of the snapshots. */
  readonly fileSystemPath: string;
  readonly readCgroup: ReadCgroup;
  readonly readInterfaces: (pid: number) => ReadonlyMap<string, InterfaceCounters>;
}

/** The interface that a pod's addresses are on, when it has one of that name. */
const usualInterface = 'eth0';

/** Reads what pods and containers use. Whatever ends meanwhile has no figures. */
export class Meter {
  readonly #options: MeterOptions;
  readonly #rates = new CpuRates();

  constructor(options: MeterOptions) {
    this.#options = options;
  }

  async container(container: MeasuredContainer): Promise<MessageInitShape<typeof criStats.ContainerStatsSchema>> {
    const [stats, layer] = await Promise.all([this.taskStats(container), this.layer(container)]);
    const { id } = container.attributes;
    return {
      attributes: container.attributes,
      ...(stats === undefined ? {} : usagesOf(id, stats, this.#rates)),
      ...(layer === undefined
        ? {}
        : {
            writableLayer: {
              timestamp: nsOf(new Date(layer.at)),
              fsId: { mountpoint: this.#options.fileSystemPath },
              usedBytes: { value: BigInt(layer.sizeBytes) },
              inodesUsed: { value: BigInt(layer.inodes) },
            },
          }),
    };
  }

  async pod(pod: MeasuredPod): Promise<MessageInitShape<typeof criStats.PodSandboxStatsSchema>> {
    const { attributes, cgroupPath } = pod;
    const [stats, ...containers] = await Promise.all([
      cgroupPath === undefined ? undefined : this.#options.readCgroup(cgroupPath),
      ...pod.containers.map(async (container) => ({ stats: await this.container(container), pids: (await pidsOf(container)).length })),
    ]);
    const now = nsOf(new Date());
    const { swap: _, ...own } = stats === undefined ? {} : usagesOf(attributes.id, stats, this.#rates);
    const network = networkUsage(this.interfaces(pod), now);
    return {
      attributes,
      linux: {
        ...own,
        ...(network === undefined ? {} : { network }),
        process: { timestamp: now, processCount: { value: BigInt(containers.reduce((sum, { pids }) => sum + pids, 0)) } },
        containers: containers.map((container) => container.stats),
      },
    };
  }

  /** Undefined when nothing runs. */
  async taskStats({ task }: MeasuredContainer): Promise<TaskStats | undefined> {
    return await task?.stats().catch(gone);
  }

  /** What the container has written; undefined when its layer is gone. */
  async layer({ snapshotKey }: MeasuredContainer): Promise<CountedUsage | undefined> {
    return await this.#options.usages.of(snapshotKey).catch(gone);
  }

  /** As any of the pod's processes sees them: none when none runs. */
  interfaces(pod: MeasuredPod): ReadonlyMap<string, InterfaceCounters> {
    for (const { task } of pod.containers) {
      const state = task?.state();
      if (state === undefined || state.status === 'stopped') continue;
      const found = this.#options.readInterfaces(state.pid);
      if (found.size > 0) return found;
    }
    return new Map();
  }

  /** What is none of these is forgotten. */
  retain(pods: readonly MeasuredPod[]): void {
    this.#rates.retain(new Set(pods.flatMap(({ attributes, containers }) => [attributes.id, ...containers.map((container) => container.attributes.id)])));
  }
}

export async function pidsOf({ task }: MeasuredContainer): Promise<readonly number[]> {
  return (await task?.pids().catch(gone)) ?? [];
}

function networkUsage(found: ReadonlyMap<string, InterfaceCounters>, timestamp: bigint): MessageInitShape<typeof criStats.NetworkUsageSchema> | undefined {
  const interfaces = [...found].map(([name, counters]) => interfaceUsage(name, counters));
  const defaultInterface = interfaces.find(({ name }) => name === usualInterface) ?? interfaces[0];
  return defaultInterface === undefined ? undefined : { timestamp, defaultInterface, interfaces };
}

function gone(error: unknown): undefined {
  if (isCode(error, 'NotFound') || isCode(error, 'FailedPrecondition')) return undefined;
  throw error;
}
