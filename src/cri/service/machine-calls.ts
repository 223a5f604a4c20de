import { criRuntime } from '../../api/cri/index.ts';
import { formatJson } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import type { SomeCalls } from './calls.ts';

/** Of the interface itself, and the protocol that clients and runtimes agree on. */
const versions = { version: '0.1.0', runtimeApiVersion: 'v1' } as const;
const runtimeName = 'strake';

/** What the runtime is, and whether it can do its work. */
export function machineCalls(context: CriContext): SomeCalls<'version' | 'status' | 'runtimeConfig' | 'updateRuntimeConfig' | 'getContainerEvents'> {
  return {
    version: () => ({ ...versions, runtimeName, runtimeVersion: context.version }),
    async status({ verbose }, { signal }) {
      const network = await context.network.status(signal);
      return {
        status: {
          conditions: [
            { type: 'RuntimeReady', status: true, reason: '', message: '' },
            {
              type: 'NetworkReady',
              status: network.ready,
              reason: network.ready ? '' : 'NetworkPluginNotReady',
              message: network.ready ? '' : network.message,
            },
          ],
        },
        runtimeHandlers: await Promise.all(
          context.handlers.list().map(async (handler) => ({ name: handler.name, features: await context.handlerFeatures.of(handler) })),
        ),
        features: { supplementalGroupsPolicy: true, userNamespacesHostNetwork: true, mountOptions: true },
        info: verbose ? { config: formatJson(configOf(context)), network: formatJson(network) } : {},
      };
    },
    runtimeConfig: () => ({
      linux: { cgroupDriver: context.cgroups.driver === 'systemd' ? criRuntime.CgroupDriver.SYSTEMD : criRuntime.CgroupDriver.CGROUPFS },
    }),
    // The addresses of pods are the network's own configuration.
    updateRuntimeConfig: () => ({}),
    getContainerEvents: (_request, { signal }) => context.events.subscribe(signal),
  };
}

function configOf({ handlers, cgroups, paths, version }: CriContext) {
  return { version, root: paths.root, state: paths.state, cgroups, runtimes: handlers.list() };
}
