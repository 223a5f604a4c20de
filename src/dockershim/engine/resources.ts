import type { criLinux } from '../../api/cri/index.ts';
import { notWithEngine } from '../refuse.ts';

/** Limits in the words of the Engine API; what has no words there is refused, but for huge pages, which are a limit that the pod has anyway. */
export function engineResources(resources: criLinux.LinuxContainerResources | undefined): Readonly<Record<string, unknown>> {
  if (resources === undefined) return {};
  if (Object.keys(resources.unified).length > 0) throw notWithEngine('files of the unified cgroup hierarchy');
  const memory = Number(resources.memoryLimitInBytes);
  const swap = Number(resources.memorySwapLimitInBytes);
  return {
    ...positive('CpuPeriod', resources.cpuPeriod),
    ...positive('CpuQuota', resources.cpuQuota),
    ...positive('CpuShares', resources.cpuShares),
    // No swap unless it is asked for: the engine's own default is as much again.
    ...(memory > 0 ? { Memory: memory, MemorySwap: swap > 0 ? swap : memory } : {}),
    ...(resources.cpusetCpus === '' ? {} : { CpusetCpus: resources.cpusetCpus }),
    ...(resources.cpusetMems === '' ? {} : { CpusetMems: resources.cpusetMems }),
  };
}

function positive(name: string, value: bigint): Readonly<Record<string, number>> {
  return value > 0n ? { [name]: Number(value) } : {};
}
