import { criRuntime, metricDescriptors } from '../api/cri/index.ts';
import { errorMessage, portions } from '../base/index.ts';
import { type GrpcService, grpcService } from '../rpc/grpc/index.ts';
import type { StreamingServer } from '../streaming/index.ts';
import type { Containers } from './containers/containers.ts';
import type { Engine } from './engine/engine.ts';
import { containerEvents } from './events.ts';
import type { Figures } from './figures/stats.ts';
import { execSync } from './processes/exec-sync.ts';
import { notWithEngine } from './refuse.ts';
import type { Sandboxes } from './sandboxes/sandboxes.ts';

export interface RuntimeServiceOptions {
  readonly engine: Engine;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly figures: Figures;
  readonly streams: StreamingServer;
}

/** That of the kubelet's interface to its runtimes, which nobody looks at. */
const interfaceVersion = '0.1.0';
const apiVersion = 'v1';
/** So many things are told in one message of a stream. */
const perMessage = 64;

interface EngineInfo {
  readonly CgroupDriver: string;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
}

export function runtimeService({ engine, sandboxes, containers, figures, streams }: RuntimeServiceOptions): GrpcService {
  const { client } = engine;
  const info = async () => await client.get<EngineInfo>('/info');
  return grpcService(criRuntime.RuntimeService, {
    async version() {
      const { Version } = await client.get<{ readonly Version: string }>('/version');
      return { version: interfaceVersion, runtimeName: 'docker', runtimeVersion: Version, runtimeApiVersion: apiVersion };
    },
    async status({ verbose }) {
      let known: EngineInfo | undefined;
      let told: { readonly status: boolean; readonly reason?: string; readonly message?: string } = { status: true };
      try {
        known = await info();
      } catch (error) {
        told = { status: false, reason: 'EngineNotReady', message: errorMessage(error) };
      }
      const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, ...told }));
      const names = ['', ...Object.keys(known?.Runtimes ?? {})];
      return {
        status: { conditions },
        runtimeHandlers: names.map((name) => ({ name, features: { recursiveReadOnlyMounts: true, userNamespaces: false } })),
        features: { supplementalGroupsPolicy: true },
        ...(verbose ? { info: { engine: JSON.stringify(known ?? {}) } } : {}),
      };
    },
    async runtimeConfig() {
      const isSystemd = (await info()).CgroupDriver === 'systemd';
      return { linux: { cgroupDriver: isSystemd ? criRuntime.CgroupDriver.SYSTEMD : criRuntime.CgroupDriver.CGROUPFS } };
    },
    // The engine's network has its own addresses.
    updateRuntimeConfig: () => ({}),

    runPodSandbox: async ({ config, runtimeHandler }) => ({ podSandboxId: await sandboxes.run(config, runtimeHandler) }),
    async stopPodSandbox({ podSandboxId }) {
      await sandboxes.stop(podSandboxId);
      return {};
    },
    async removePodSandbox({ podSandboxId }) {
      await sandboxes.remove(podSandboxId);
      return {};
    },
    podSandboxStatus: async ({ podSandboxId, verbose }) => ({
      status: await sandboxes.status(podSandboxId),
      info: verbose ? { info: JSON.stringify(await engine.inspect(podSandboxId, 'podsandbox')) } : {},
    }),
    listPodSandbox: async ({ filter }) => ({ items: [...(await sandboxes.list(filter))] }),
    async *streamPodSandboxes({ filter }) {
      for (const podSandboxes of portions(await sandboxes.list(filter), perMessage)) yield { podSandboxes };
    },
    // Nothing of a pod but its containers has limits.
    async updatePodSandboxResources({ podSandboxId }) {
      await engine.inspect(podSandboxId, 'podsandbox');
      return {};
    },

    createContainer: async (request) => ({ containerId: await containers.create(request) }),
    async startContainer({ containerId }) {
      await containers.start(containerId);
      return {};
    },
    async stopContainer({ containerId, timeout }) {
      await containers.stop(containerId, Number(timeout));
      return {};
    },
    async removeContainer({ containerId }) {
      await containers.remove(containerId);
      return {};
    },
    listContainers: async ({ filter }) => ({ containers: [...(await containers.list(filter))] }),
    async *streamContainers({ filter }) {
      for (const some of portions(await containers.list(filter), perMessage)) yield { containers: some };
    },
    containerStatus: async ({ containerId, verbose }) => ({
      status: await containers.status(containerId),
      info: verbose ? { info: JSON.stringify(await engine.inspect(containerId, 'container')) } : {},
    }),
    async updateContainerResources({ containerId, linux }) {
      await containers.update(containerId, linux);
      return {};
    },
    async reopenContainerLog({ containerId }) {
      await containers.reopenLog(containerId);
      return {};
    },

    execSync: async ({ containerId, cmd, timeout }, { signal }) => await execSync(engine, containerId, cmd, Number(timeout), signal),
    async exec({ containerId, cmd, tty, ...choice }) {
      const { Id } = await engine.inspect(containerId, 'container');
      return { url: streams.execUrl({ containerId: Id, command: cmd, terminal: tty, ...streamsOf(choice) }) };
    },
    async attach({ containerId, tty, ...choice }) {
      const { Id } = await engine.inspect(containerId, 'container');
      return { url: streams.attachUrl({ containerId: Id, terminal: tty, ...streamsOf(choice) }) };
    },
    async portForward({ podSandboxId, port }) {
      const { Id } = await engine.inspect(podSandboxId, 'podsandbox');
      return { url: streams.portForwardUrl({ sandboxId: Id, ports: port }) };
    },

    containerStats: async ({ containerId }) => ({ stats: await figures.container(containerId) }),
    listContainerStats: async ({ filter }) => ({ stats: [...(await figures.containers(filter ?? {}))] }),
    async *streamContainerStats({ filter }) {
      for (const containerStats of portions(await figures.containers(filter ?? {}), perMessage)) yield { containerStats };
    },
    podSandboxStats: async ({ podSandboxId }) => ({ stats: await figures.pod(podSandboxId) }),
    listPodSandboxStats: async ({ filter }) => ({ stats: [...(await figures.pods(filter ?? {}))] }),
    async *streamPodSandboxStats({ filter }) {
      for (const podSandboxStats of portions(await figures.pods(filter ?? {}), perMessage)) yield { podSandboxStats };
    },
    listMetricDescriptors: () => ({ descriptors: [...metricDescriptors] }),
    listPodSandboxMetrics: async () => ({ podMetrics: [...(await figures.metrics())] }),
    async *streamPodSandboxMetrics() {
      for (const podSandboxMetrics of portions(await figures.metrics(), perMessage)) yield { podSandboxMetrics };
    },

    checkpointContainer: () => {
      throw notWithEngine('a checkpoint as an archive');
    },
    checkpointPod: () => {
      throw notWithEngine('a checkpoint of a pod');
    },
    restorePod: () => {
      throw notWithEngine('a pod of a checkpoint');
    },

    getContainerEvents: (_request, { signal }) => containerEvents(engine, sandboxes, containers, signal),
  });
}

function streamsOf({ stdin, stdout, stderr }: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }) {
  return { stdin, stdout, stderr };
}
