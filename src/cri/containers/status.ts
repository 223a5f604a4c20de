import { type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { criContainer } from '../../api/cri/index.ts';
import { formatJson, parseJson } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { criSignal } from '../signals.ts';
import type { Container } from './container.ts';

const { ContainerState: State } = criContainer;

export function containerState({ lifecycle }: Container): criContainer.ContainerState {
  switch (lifecycle.status) {
    case 'created':
      return State.CONTAINER_CREATED;
    case 'running':
      return State.CONTAINER_RUNNING;
    case 'exited':
      return State.CONTAINER_EXITED;
  }
}

export function containerStatus(container: Container): MessageInitShape<typeof criContainer.ContainerStatusSchema> {
  const { facts, lifecycle, resources } = container;
  const { config, imageId, imageNames, user } = facts;
  const [tag] = imageNames.repoTags;
  const image = tag === undefined ? config.image : { image: tag };
  return {
    id: facts.id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state: containerState(container),
    createdAt: facts.createdAt,
    startedAt: 'startedAt' in lifecycle ? lifecycle.startedAt : 0n,
    ...endOf(container),
    ...(image === undefined ? {} : { image }),
    imageRef: imageNames.repoDigests[0] ?? imageId,
    imageId,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: facts.logPath,
    ...(resources === undefined ? {} : { resources: { linux: resources } }),
    user: { linux: { uid: BigInt(user.uid), gid: BigInt(user.gid), supplementalGroups: (user.additionalGids ?? []).map(BigInt) } },
    stopSignal: criSignal(facts.stopSignal),
  };
}

/** containerd's, which a kubelet shows. */
export const oomKilledReason = 'OOMKilled';

function endOf({ lifecycle }: Container): Pick<MessageInitShape<typeof criContainer.ContainerStatusSchema>, 'finishedAt' | 'exitCode' | 'reason' | 'message'> {
  if (lifecycle.status === 'running') return { reason: lifecycle.oomKilled ? oomKilledReason : '' };
  if (lifecycle.status !== 'exited') return {};
  const { finishedAt, exitCode, reason, message } = lifecycle;
  return { finishedAt, exitCode, reason: reason === '' ? (exitCode === 0 ? 'Completed' : 'Error') : reason, message };
}

export function containerItem(container: Container): MessageInitShape<typeof criContainer.ContainerSchema> {
  const { facts } = container;
  const { config, imageId } = facts;
  return {
    id: facts.id,
    podSandboxId: facts.podId,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    ...(config.image === undefined ? {} : { image: config.image }),
    imageRef: imageId,
    imageId,
    state: containerState(container),
    createdAt: facts.createdAt,
    labels: config.labels,
    annotations: config.annotations,
  };
}

/** What a person asks for with `crictl inspect`: one JSON document, with containerd's names. */
export async function containerInfo({ core }: CriContext, container: Container): Promise<Record<string, string>> {
  const { facts, task } = container;
  const { spec, snapshotKey, snapshotter, runtime } = await core.containers.get(container.id);
  return {
    info: formatJson({
      sandboxID: facts.podId,
      pid: task?.state().pid ?? 0,
      removing: false,
      snapshotKey,
      snapshotter,
      runtimeType: runtime.name,
      runtimeOptions: null,
      config: toJson(criContainer.ContainerConfigSchema, facts.config),
      runtimeSpec: parseJson(Buffer.from(spec.value).toString(), `specification of ${container.id}`),
    }),
  };
}
