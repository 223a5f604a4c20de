import type { MessageInitShape } from '@bufbuild/protobuf';
import { criContainer, type criLinux } from '../../api/cri/index.ts';
import type { ContainerInspect, ContainerSummary } from '../../api/docker/index.ts';
import { nanoseconds } from '../engine/engine.ts';
import { containerConfigOf, type Labels, sandboxConfigOf, sandboxIdLabel } from '../engine/labels.ts';

const { ContainerState } = criContainer;

const statesByName: Readonly<Record<string, criContainer.ContainerState>> = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  paused: ContainerState.CONTAINER_RUNNING,
  restarting: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
  dead: ContainerState.CONTAINER_EXITED,
};

/** `sandbox`: of its pod, when that is there still; `user`: whom it runs as, when that is known. */
export function containerStatus(
  inspect: ContainerInspect,
  sandbox: ContainerInspect | undefined,
  user: MessageInitShape<typeof criLinux.LinuxContainerUserSchema> | undefined,
): MessageInitShape<typeof criContainer.ContainerStatusSchema> {
  const config = containerConfigOf(inspect.Config.Labels);
  const { State } = inspect;
  // A start that failed leaves the engine's container as one that was never started, with its error.
  const hasFailed = State.Status === 'created' && State.Error !== '';
  const state = hasFailed ? ContainerState.CONTAINER_EXITED : (statesByName[State.Status] ?? ContainerState.CONTAINER_UNKNOWN);
  const hasExited = state === ContainerState.CONTAINER_EXITED;
  return {
    id: inspect.Id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state,
    createdAt: nanoseconds(inspect.Created),
    startedAt: nanoseconds(State.StartedAt),
    finishedAt: hasExited ? nanoseconds(State.FinishedAt) || (hasFailed ? nanoseconds(inspect.Created) : 0n) : 0n,
    exitCode: hasExited ? State.ExitCode : 0,
    ...(config.image === undefined ? {} : { image: config.image }),
    imageRef: inspect.Image,
    imageId: inspect.Image,
    reason: hasExited ? exitReason(inspect, hasFailed) : '',
    message: State.Error,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: sandbox === undefined ? '' : logPathOf(inspect.Config.Labels, sandbox.Config.Labels),
    resources: { linux: limitsOf(inspect) },
    ...(user === undefined ? {} : { user: { linux: user } }),
    stopSignal: config.stopSignal,
  };
}

/** Empty: it has none. */
export function logPathOf(container: Labels, sandbox: Labels): string {
  const { logPath } = containerConfigOf(container);
  const { logDirectory } = sandboxConfigOf(sandbox);
  return logPath === '' || logDirectory === '' ? '' : `${logDirectory.replace(/\/+$/, '')}/${logPath}`;
}

function exitReason({ State }: ContainerInspect, hasFailed: boolean): string {
  if (hasFailed) return 'ContainerCannotRun';
  if (State.OOMKilled) return 'OOMKilled';
  return State.ExitCode === 0 ? 'Completed' : 'Error';
}

/** As the engine has them. */
export function limitsOf({ HostConfig: host }: ContainerInspect): MessageInitShape<typeof criLinux.LinuxContainerResourcesSchema> {
  return {
    cpuPeriod: BigInt(host.CpuPeriod),
    cpuQuota: BigInt(host.CpuQuota),
    cpuShares: BigInt(host.CpuShares),
    memoryLimitInBytes: BigInt(host.Memory),
    memorySwapLimitInBytes: BigInt(host.MemorySwap),
    oomScoreAdj: BigInt(host.OomScoreAdj),
    cpusetCpus: host.CpusetCpus,
    cpusetMems: host.CpusetMems,
  };
}

export function containerItem(summary: ContainerSummary): MessageInitShape<typeof criContainer.ContainerSchema> {
  const config = containerConfigOf(summary.Labels);
  return {
    id: summary.Id,
    podSandboxId: summary.Labels[sandboxIdLabel] ?? '',
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    ...(config.image === undefined ? {} : { image: config.image }),
    imageRef: summary.ImageID,
    imageId: summary.ImageID,
    state: statesByName[summary.State] ?? ContainerState.CONTAINER_UNKNOWN,
    createdAt: BigInt(summary.Created) * 1_000_000_000n,
    labels: config.labels,
    annotations: config.annotations,
  };
}
