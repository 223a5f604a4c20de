import type { MessageInitShape } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import { criPod, type criRuntime } from '../../api/cri/index.ts';
import { formatJson } from '../../oci/index.ts';
import { nowNs } from '../clock.ts';
import type { CriContext } from '../context.ts';
import type { Pod } from './pod.ts';

const { PodSandboxState: State } = criPod;

export function podState(pod: Pod): criPod.PodSandboxState {
  return pod.state.status === 'ready' ? State.SANDBOX_READY : State.SANDBOX_NOTREADY;
}

export function podStatus(pod: Pod): MessageInitShape<typeof criPod.PodSandboxStatusSchema> {
  const { config, facts, state } = pod;
  const [ip = '', ...others] = state.status === 'ready' ? facts.addresses : [];
  const options = config.linux?.securityContext?.namespaceOptions;
  return {
    id: pod.id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state: podState(pod),
    createdAt: facts.createdAt,
    network: { ip, additionalIps: others.map((address) => ({ ip: address })) },
    linux: { namespaces: options === undefined ? {} : { options } },
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: facts.handler,
  };
}

export function podItem(pod: Pod): MessageInitShape<typeof criPod.PodSandboxSchema> {
  const { config, facts } = pod;
  return {
    id: pod.id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state: podState(pod),
    createdAt: facts.createdAt,
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: facts.handler,
  };
}

/** What a person asks for with `crictl inspectp`: one JSON document, with containerd's names. */
export function podInfo({ handlers, tasks }: CriContext, pod: Pod): Record<string, string> {
  const { facts, state, resources } = pod;
  const pause = tasks.list().find(({ id }) => id === pod.id);
  const info = {
    pid: pause?.state().pid ?? 0,
    processStatus: state.status === 'ready' ? 'running' : 'deleted',
    netNamespaceClosed: state.status !== 'ready',
    runtimeHandler: facts.handler,
    runtimeType: handlers.list().find(({ name }) => name === facts.handler)?.runtimeName ?? '',
    config: toJson(criPod.PodSandboxConfigSchema, facts.config),
    ...(facts.networkDetails === undefined ? {} : { cniResult: facts.networkDetails }),
    ...(state.status === 'ready' ? { namespaces: state.namespaces } : {}),
    ...(resources.overhead === undefined ? {} : { overhead: plain(resources.overhead) }),
    ...(resources.resources === undefined ? {} : { resources: plain(resources.resources) }),
  };
  return { info: formatJson(info) };
}

export async function podStatusResponse(
  context: CriContext,
  pod: Pod,
  verbose: boolean,
): Promise<MessageInitShape<typeof criRuntime.PodSandboxStatusResponseSchema>> {
  return { status: podStatus(pod), info: verbose ? podInfo(context, pod) : {}, timestamp: nowNs() };
}

function plain<T extends { readonly $typeName: string }>({ $typeName: _, ...fields }: T): Omit<T, '$typeName'> {
  return fields;
}
