import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criLinux } from '../../api/cri/index.ts';
import type { V1Container, V1PodSpec, V1ResourceRequirements } from '../kubernetes.ts';
import { isSidecar } from '../pods/pod.ts';
import { qosClass } from '../pods/qos.ts';
import { quantityMilli, quantityUnits } from '../quantity.ts';

type LinuxResources = MessageInitShape<typeof criLinux.LinuxContainerResourcesSchema>;

/** cgroups(7), cpu.shares: what the kernel allows, and what one CPU counts. */
const minShares = 2n;
const maxShares = 262_144n;
const sharesOfCpu = 1024n;
const periodUs = 100_000n;
/** The kernel refuses less. */
const minQuotaUs = 1000n;

const pageSizes: Readonly<Record<string, string>> = { Ki: 'KB', Mi: 'MB', Gi: 'GB' };

/** What the runtime is to hold a container to. Without a request for CPU its share is the smallest. */
export function containerResources(container: V1Container, spec: V1PodSpec, memoryBytes: bigint): LinuxResources {
  return { ...limits(container.resources ?? {}), oomScoreAdj: BigInt(oomScoreAdj(container, spec, memoryBytes)) };
}

/** What the containers of a pod may have together: those that run at once, or the init container that asks for most. */
export function podResources(spec: V1PodSpec): LinuxResources {
  const { containers, initContainers = [] } = spec;
  const together = [...containers, ...initContainers.filter(isSidecar)];
  const amount = (container: V1Container, list: 'limits' | 'requests', name: string) => {
    const quantity = container.resources?.[list]?.[name];
    return quantity === undefined ? undefined : name === 'cpu' ? quantityMilli(quantity) : quantityUnits(quantity);
  };
  const total = (list: 'limits' | 'requests', name: string): bigint | undefined => {
    const amounts = together.map((container) => amount(container, list, name));
    // One without a limit has all of the machine, and so has the pod.
    if (list === 'limits' && amounts.includes(undefined)) return undefined;
    const sum = amounts.reduce<bigint>((all, one) => all + (one ?? 0n), 0n);
    return initContainers.reduce((most, container) => ((amount(container, list, name) ?? 0n) > most ? (amount(container, list, name) ?? 0n) : most), sum);
  };
  return linuxResources({ cpuRequest: total('requests', 'cpu') ?? 0n, cpuLimit: total('limits', 'cpu'), memoryLimit: total('limits', 'memory') });
}

function limits({ limits: most = {}, requests = {} }: V1ResourceRequirements) {
  const { cpu, memory } = most;
  const hugepageLimits = Object.entries(most).flatMap(([name, quantity]) => {
    const [, size, unit] = /^hugepages-(\d+)([KMG]i)$/.exec(name) ?? [];
    return size === undefined ? [] : [{ pageSize: `${size}${pageSizes[unit ?? ''] ?? ''}`, limit: quantityUnits(quantity) }];
  });
  return {
    ...linuxResources({
      cpuRequest: quantityMilli(requests['cpu'] ?? '0'),
      cpuLimit: cpu === undefined ? undefined : quantityMilli(cpu),
      memoryLimit: memory === undefined ? undefined : quantityUnits(memory),
    }),
    hugepageLimits,
  };
}

interface Amounts {
  readonly cpuRequest: bigint;
  readonly cpuLimit: bigint | undefined;
  readonly memoryLimit: bigint | undefined;
}

function linuxResources({ cpuRequest, cpuLimit, memoryLimit }: Amounts) {
  const shares = (cpuRequest * sharesOfCpu) / 1000n;
  const quota = cpuLimit === undefined || cpuLimit === 0n ? 0n : (cpuLimit * periodUs) / 1000n;
  return {
    cpuShares: shares < minShares ? minShares : shares > maxShares ? maxShares : shares,
    ...(quota === 0n ? {} : { cpuPeriod: periodUs, cpuQuota: quota < minQuotaUs ? minQuotaUs : quota }),
    ...(memoryLimit === undefined ? {} : { memoryLimitInBytes: memoryLimit }),
  };
}

const guaranteedScore = -997;
const bestEffortScore = 1000;
/** Between the two: who asks for more of the machine's memory suffers later (kubernetes.io, "Node-pressure Eviction"). */
const burstableScores = { least: 3, most: 999 } as const;

function oomScoreAdj(container: V1Container, spec: V1PodSpec, memoryBytes: bigint): number {
  const qos = qosClass(spec);
  if (qos === 'Guaranteed') return guaranteedScore;
  if (qos === 'BestEffort') return bestEffortScore;
  const request = quantityUnits(container.resources?.requests?.['memory'] ?? '0');
  const score = 1000 - Number((1000n * request) / memoryBytes);
  return Math.min(Math.max(score, burstableScores.least), burstableScores.most);
}
