import type { CriContext } from '../context.ts';
import { chosenPods } from '../list.ts';
import { podExtensions } from '../pods/pod-record.ts';
import { removePod } from '../pods/remove.ts';
import { runPod } from '../pods/run.ts';
import { podItem, podStatusResponse } from '../pods/status.ts';
import { stopPod } from '../pods/stop.ts';
import { invalid } from '../refusals.ts';
import { inMessages, type SomeCalls } from './calls.ts';

type PodCalls = SomeCalls<
  'runPodSandbox' | 'stopPodSandbox' | 'removePodSandbox' | 'podSandboxStatus' | 'listPodSandbox' | 'streamPodSandboxes' | 'updatePodSandboxResources'
>;

export function podCalls(context: CriContext): PodCalls {
  const { pods } = context.registry;
  return {
    async runPodSandbox({ config, runtimeHandler }, { signal }) {
      if (config === undefined) throw invalid('sandbox config must be given');
      return { podSandboxId: (await runPod(context, config, runtimeHandler, signal)).id };
    },
    async stopPodSandbox({ podSandboxId }, { signal }) {
      const pod = pods.find(podSandboxId);
      if (pod !== undefined) await stopPod(context, pod, signal);
      return {};
    },
    async removePodSandbox({ podSandboxId }, { signal }) {
      const pod = pods.find(podSandboxId);
      if (pod !== undefined) await removePod(context, pod, signal);
      return {};
    },
    podSandboxStatus: ({ podSandboxId, verbose }) => podStatusResponse(context, pods.get(podSandboxId), verbose),
    listPodSandbox: ({ filter }) => ({ items: chosenPods(context, filter).map(podItem) }),
    async *streamPodSandboxes({ filter }) {
      for (const podSandboxes of inMessages(chosenPods(context, filter).map(podItem))) yield { podSandboxes };
    },
    async updatePodSandboxResources({ podSandboxId, overhead, resources }) {
      const pod = pods.get(podSandboxId);
      await pod.mutex.run(async () => {
        // The pod's cgroup is the kubelet's, which has written to it by now.
        pod.resources = { ...pod.resources, ...(overhead === undefined ? {} : { overhead }), ...(resources === undefined ? {} : { resources }) };
        await context.core.sandboxes.update(pod.id, { extensions: podExtensions(pod) });
      });
      return {};
    },
  };
}
