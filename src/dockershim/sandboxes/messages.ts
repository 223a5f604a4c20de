import type { MessageInitShape } from '@bufbuild/protobuf';
import { criLinux, criPod } from '../../api/cri/index.ts';
import type { ContainerInspect, ContainerSummary } from '../../api/docker/index.ts';
import { nanoseconds } from '../engine/engine.ts';
import { type Labels, runtimeHandlerOf, sandboxConfigOf } from '../engine/labels.ts';

const { PodSandboxState } = criPod;

export function sandboxStatus(inspect: ContainerInspect): MessageInitShape<typeof criPod.PodSandboxStatusSchema> {
  const labels = inspect.Config.Labels;
  const config = sandboxConfigOf(labels);
  return {
    ...facts(inspect.Id, labels),
    state: inspect.State.Running ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY,
    createdAt: nanoseconds(inspect.Created),
    network: networkOf(inspect),
    linux: { namespaces: { options: config.linux?.securityContext?.namespaceOptions ?? { network: criLinux.NamespaceMode.POD } } },
  };
}

export function sandboxItem(summary: ContainerSummary): MessageInitShape<typeof criPod.PodSandboxSchema> {
  return {
    ...facts(summary.Id, summary.Labels),
    state: summary.State === 'running' ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY,
    createdAt: BigInt(summary.Created) * 1_000_000_000n,
  };
}

function facts(id: string, labels: Labels) {
  const config = sandboxConfigOf(labels);
  return {
    id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: runtimeHandlerOf(labels),
  };
}

/** Empty for a pod on the machine's own network: the kubelet knows that address. */
function networkOf({ State: { Running }, NetworkSettings: { Networks } }: ContainerInspect): MessageInitShape<typeof criPod.PodSandboxNetworkStatusSchema> {
  const addresses = Running ? Object.values(Networks ?? {}).flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress, GlobalIPv6Address]) : [];
  const [ip = '', ...more] = addresses.filter((address) => address !== '');
  return { ip, additionalIps: more.map((address) => ({ ip: address })) };
}
