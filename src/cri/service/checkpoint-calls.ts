import { checkpointContainer } from '../containers/checkpoint.ts';
import type { CriContext } from '../context.ts';
import { checkpointPod } from '../pods/checkpoint.ts';
import { restorePod } from '../pods/restore.ts';
import { invalid } from '../refusals.ts';
import type { SomeCalls } from './calls.ts';

export function checkpointCalls(context: CriContext): SomeCalls<'checkpointContainer' | 'checkpointPod' | 'restorePod'> {
  const { pods, containers } = context.registry;
  return {
    async checkpointContainer({ containerId, location, timeout }, { signal }) {
      const limit = timeout > 0n ? AbortSignal.any([signal, AbortSignal.timeout(Number(timeout) * 1000)]) : signal;
      await checkpointContainer(context, containers.get(containerId), location, limit);
      return {};
    },
    async checkpointPod({ podSandboxId, outputPath, containerIds, options }, { signal }) {
      refuseOptions(options);
      await checkpointPod(context, pods.get(podSandboxId), outputPath, containerIds, signal);
      return {};
    },
    async restorePod({ checkpointPath, config, runtimeHandler, containerConfigs, options }, { signal }) {
      refuseOptions(options);
      return await restorePod(context, { directory: checkpointPath, config, handler: runtimeHandler, configs: containerConfigs }, signal);
    },
  };
}

/** There are none. */
function refuseOptions(options: Readonly<Record<string, string>>): void {
  const [name] = Object.keys(options);
  if (name !== undefined) throw invalid(`unknown option ${JSON.stringify(name)}`);
}
