import type { MessageInitShape } from '@bufbuild/protobuf';
import { type criMetrics, type criStats, interfaceUsage } from '../../api/cri/index.ts';
import type { ContainerStats, ContainerSummary, ContainerTopResponse } from '../../api/docker/index.ts';
import { inTurns, isCode } from '../../base/index.ts';
import type { Engine } from '../engine/engine.ts';
import { containerConfigOf, matchesSelector, sandboxConfigOf, sandboxIdLabel } from '../engine/labels.ts';
import { refuse } from '../refuse.ts';
import { interfacesOf } from './interfaces.ts';
import { memoryFigure, workingSet } from './memory.ts';
import { type EngineContainer, podMetrics } from './metrics.ts';

type WireContainer = MessageInitShape<typeof criStats.ContainerStatsSchema>;
type WirePod = MessageInitShape<typeof criStats.PodSandboxStatsSchema>;

/** Containers are measured some at a time: each is a request to the engine. */
const atOnce = 8;

export interface StatsFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}

/** What runs, as the engine measures it; what has ended is left out. */
export class Figures {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async containers({ id = '', podSandboxId = '', labelSelector = {} }: StatsFilter): Promise<readonly WireContainer[]> {
    const all = await this.#engine.list('container', { size: true });
    const chosen = all.filter(
      (summary) =>
        isRunning(summary) &&
        summary.Id.startsWith(id) &&
        (summary.Labels[sandboxIdLabel] ?? '').startsWith(podSandboxId) &&
        matchesSelector(containerConfigOf(summary.Labels).labels, labelSelector),
    );
    return await this.#measured(chosen);
  }

  async container(id: string): Promise<WireContainer> {
    const [stats] = id === '' ? [] : await this.containers({ id });
    if (stats === undefined) throw refuse('NotFound', `container "${id}" does not run`);
    return stats;
  }

  async pods({ id = '', labelSelector = {} }: StatsFilter): Promise<readonly WirePod[]> {
    const [all, containers] = await this.#podsAndContainers();
    const chosen = all.filter((summary) => summary.Id.startsWith(id) && matchesSelector(sandboxConfigOf(summary.Labels).labels, labelSelector));
    return await measuredOf(chosen, async (summary) => await this.#pod(summary, inPod(containers, summary)));
  }

  /** cAdvisor's metrics of all pods that run. */
  async metrics(): Promise<readonly MessageInitShape<typeof criMetrics.PodSandboxMetricsSchema>[]> {
    const [{ DockerRootDir }, [pods, containers]] = await Promise.all([
      this.#engine.client.get<{ readonly DockerRootDir: string }>('/info'),
      this.#podsAndContainers(),
    ]);
    return await measuredOf(pods, async (pod) => {
      const stats = await this.#measure(pod.Id);
      if (stats === undefined) return undefined;
      const measured = await measuredOf(inPod(containers, pod), async (one) => await this.#look(one));
      return await podMetrics({ id: pod.Id, metadata: sandboxConfigOf(pod.Labels).metadata, stats, containers: measured }, DockerRootDir);
    });
  }

  /** Those that run, each listed once: the engine counts what every container has written. */
  async #podsAndContainers(): Promise<readonly [pods: readonly ContainerSummary[], containers: readonly ContainerSummary[]]> {
    const [pods, containers] = await Promise.all([this.#engine.list('podsandbox'), this.#engine.list('container', { size: true })]);
    return [pods.filter(isRunning), containers.filter(isRunning)];
  }

  async #look({ Id, SizeRw = 0 }: ContainerSummary): Promise<EngineContainer | undefined> {
    const [inspect, stats, top] = await Promise.all([
      this.#engine.find(Id, 'container'),
      this.#measure(Id),
      this.#engine.client.get<ContainerTopResponse>(`/containers/${Id}/top`, { query: { ps_args: '-eo pid' } }).catch(() => undefined),
    ]);
    if (inspect === undefined || stats === undefined) return undefined;
    return { inspect, stats, writtenBytes: SizeRw, pids: (top?.Processes ?? []).map(([pid]) => Number(pid)) };
  }

  async pod(id: string): Promise<WirePod> {
    const [stats] = id === '' ? [] : await this.pods({ id });
    if (stats === undefined) throw refuse('NotFound', `pod "${id}" does not run`);
    return stats;
  }

  async #measured(containers: readonly ContainerSummary[]): Promise<readonly WireContainer[]> {
    return await measuredOf(containers, async (summary) => await this.#container(summary));
  }

  async #container(summary: ContainerSummary): Promise<WireContainer | undefined> {
    const stats = await this.#measure(summary.Id);
    if (stats === undefined) return undefined;
    const config = containerConfigOf(summary.Labels);
    const timestamp = BigInt(Date.now()) * 1_000_000n;
    const attributes = { id: summary.Id, labels: config.labels, annotations: config.annotations };
    return {
      attributes: { ...attributes, ...(config.metadata === undefined ? {} : { metadata: config.metadata }) },
      cpu: { timestamp, usageCoreNanoSeconds: { value: BigInt(stats.cpu_stats.cpu_usage.total_usage) } },
      memory: memoryOf(stats, timestamp),
      writableLayer: { timestamp, usedBytes: { value: BigInt(summary.SizeRw ?? 0) }, inodesUsed: { value: 0n } },
    };
  }

  async #pod(summary: ContainerSummary, inside: readonly ContainerSummary[]): Promise<WirePod | undefined> {
    const own = await this.#measure(summary.Id);
    if (own === undefined) return undefined;
    const containers = await this.#measured(inside);
    const config = sandboxConfigOf(summary.Labels);
    const timestamp = BigInt(Date.now()) * 1_000_000n;
    const attributes = { id: summary.Id, labels: config.labels, annotations: config.annotations };
    const sum = (value: (container: WireContainer) => bigint | undefined) => containers.reduce((total, one) => total + (value(one) ?? 0n), 0n);
    const ownCpu = BigInt(own.cpu_stats.cpu_usage.total_usage);
    const ownMemory = BigInt(own.memory_stats.usage ?? 0);
    const interfaces = interfacesOf(own).map(([name, figures]) => interfaceUsage(name, figures));
    const [defaultInterface] = interfaces;
    return {
      attributes: { ...attributes, ...(config.metadata === undefined ? {} : { metadata: config.metadata }) },
      linux: {
        cpu: { timestamp, usageCoreNanoSeconds: { value: ownCpu + sum(({ cpu }) => cpu?.usageCoreNanoSeconds?.value) } },
        memory: {
          timestamp,
          usageBytes: { value: ownMemory + sum(({ memory }) => memory?.usageBytes?.value) },
          workingSetBytes: { value: BigInt(workingSet(own)) + sum(({ memory }) => memory?.workingSetBytes?.value) },
        },
        network: { timestamp, interfaces, ...(defaultInterface === undefined ? {} : { defaultInterface }) },
        process: { timestamp, processCount: { value: BigInt(own.pids_stats.current ?? 0) } },
        containers: [...containers],
      },
    };
  }

  async #measure(id: string): Promise<ContainerStats | undefined> {
    try {
      return await this.#engine.client.get<ContainerStats>(`/containers/${id}/stats`, { query: { stream: false, 'one-shot': true } });
    } catch (error) {
      if (isCode(error, 'NotFound') || isCode(error, 'FailedPrecondition')) return undefined;
      throw error;
    }
  }
}

function isRunning({ State }: ContainerSummary): boolean {
  return State === 'running';
}

function inPod(containers: readonly ContainerSummary[], { Id }: ContainerSummary): readonly ContainerSummary[] {
  return containers.filter(({ Labels }) => Labels[sandboxIdLabel] === Id);
}

function memoryOf(stats: ContainerStats, timestamp: bigint) {
  const { usage = 0, limit = 0 } = stats.memory_stats;
  const used = workingSet(stats);
  const value = (figure: number) => ({ value: BigInt(figure) });
  return {
    timestamp,
    usageBytes: value(usage),
    workingSetBytes: value(used),
    availableBytes: value(Math.max(0, limit - used)),
    rssBytes: value(memoryFigure(stats, 'anon', 'total_rss', 'rss')),
    pageFaults: value(memoryFigure(stats, 'pgfault', 'total_pgfault')),
    majorPageFaults: value(memoryFigure(stats, 'pgmajfault', 'total_pgmajfault')),
  };
}

/** What has ended meanwhile is left out. */
async function measuredOf<R>(summaries: readonly ContainerSummary[], measure: (summary: ContainerSummary) => Promise<R | undefined>): Promise<readonly R[]> {
  return (await Array.fromAsync(inTurns(summaries, atOnce, measure))).filter((one) => one !== undefined);
}
