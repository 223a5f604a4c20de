import type { V1Container, V1ContainerState, V1ContainerStatus, V1PodCondition, V1PodStatus } from '../kubernetes.ts';
import { isSidecar, type Pod } from '../pods/pod.ts';
import { qosClass } from '../pods/qos.ts';
import type { ContainerRecord, PodObservation } from '../worker/observe.ts';
import { lastWords } from './last-words.ts';

export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface PodFacts {
  readonly pod: Pod;
  readonly observed: PodObservation;
  /** Of containers that cannot be started yet, by their names. */
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  /** What keeps the pod from going on, in words. */
  readonly problem: string | undefined;
  /** Why the pod as a whole has failed. */
  readonly reason: WaitingReason | undefined;
  readonly startedAtMs: number | undefined;
  readonly isReady: (containerId: string) => boolean;
  readonly isStarted: (containerId: string) => boolean;
  readonly hostIPs: readonly string[];
  /** Whose containers they are: it stands before their ids, as `containerd://…`. */
  readonly runtimeName: string;
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The status of a pod as Kubernetes' API has it. */
export function podStatus(facts: PodFacts): V1PodStatus {
  const { pod, observed, reason, startedAtMs, hostIPs } = facts;
  const { containers, initContainers = [], hostNetwork } = pod.spec;
  const [sandbox] = observed.sandboxes;
  const statuses = containers.map((container) => containerStatus(container, facts, isInitialized(facts) ? 'ContainerCreating' : 'PodInitializing'));
  const initStatuses = initContainers.map((container) => containerStatus(container, facts, 'PodInitializing'));
  const phase = reason === undefined ? phaseOf(pod, statuses, initStatuses) : 'Failed';
  const ips = hostNetwork === true ? (sandbox === undefined ? [] : hostIPs) : (sandbox?.ips ?? []);
  return {
    phase,
    conditions: conditions(facts, phase, [...statuses, ...initStatuses.filter((_, index) => isSidecar(initContainers[index] as V1Container))]),
    ...(reason === undefined ? {} : reason),
    hostIP: hostIPs[0] ?? '',
    hostIPs: hostIPs.map((ip) => ({ ip })),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    ...(startedAtMs === undefined ? {} : { startTime: new Date(startedAtMs) }),
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    qosClass: qosClass(pod.spec),
  };
}

/** Whether every init container has done its part in the sandbox that is now. */
function isInitialized({ pod, observed, isStarted }: PodFacts): boolean {
  const [sandbox] = observed.sandboxes;
  const here = (name: string) => observed.containers.find((record) => record.name === name && record.sandboxId === sandbox?.id);
  if (pod.spec.containers.some(({ name }) => here(name) !== undefined)) return true;
  return (
    sandbox !== undefined &&
    (pod.spec.initContainers ?? []).every((container) => {
      const record = here(container.name);
      return isSidecar(container) ? record?.state === 'running' && isStarted(record.id) : record?.state === 'exited' && record.exitCode === 0;
    })
  );
}

function containerStatus(
  container: V1Container,
  { pod, observed, waiting, isReady, isStarted, runtimeName, problem }: PodFacts,
  waitingReason: string,
): V1ContainerStatus {
  const records = observed.containers.filter(({ name }) => name === container.name);
  const [newest, previous] = records;
  const wait = waiting.get(container.name);
  const restarts = newest !== undefined && newest.state === 'exited' && wait !== undefined;
  const state: V1ContainerState =
    newest === undefined || restarts || newest.state === 'created'
      ? { waiting: wait ?? { reason: waitingReason, ...(problem === undefined ? {} : { message: problem }) } }
      : stateOf(newest, container, runtimeName);
  const last = restarts ? newest : previous;
  const running = newest?.state === 'running' ? newest : undefined;
  const done = newest?.state === 'exited' && newest.exitCode === 0 && (pod.spec.initContainers ?? []).includes(container) && !isSidecar(container);
  return {
    name: container.name,
    state,
    lastState: last?.state === 'exited' ? stateOf(last, container, runtimeName) : {},
    ready: done || (running !== undefined && isReady(running.id)),
    restartCount: newest?.attempt ?? 0,
    image: newest?.image || (container.image ?? ''),
    imageID: newest?.imageRef ?? '',
    ...(newest === undefined ? {} : { containerID: `${runtimeName}://${newest.id}` }),
    started: running !== undefined && isStarted(running.id),
  };
}

function stateOf(record: ContainerRecord, container: V1Container, runtimeName: string): V1ContainerState {
  const { state, startedAt, finishedAt, exitCode, reason, id, message } = record;
  if (state === 'running') return { running: { startedAt: date(startedAt) } };
  const words = lastWords(record, container) || message;
  return {
    terminated: {
      exitCode,
      reason: reason || (exitCode === 0 ? 'Completed' : 'Error'),
      ...(words === '' ? {} : { message: words }),
      startedAt: date(startedAt),
      finishedAt: date(finishedAt),
      containerID: `${runtimeName}://${id}`,
    },
  };
}

function date(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n));
}

/** kubernetes.io, "Pod phase". */
function phaseOf(pod: Pod, statuses: readonly V1ContainerStatus[], initStatuses: readonly V1ContainerStatus[]): Phase {
  const { restartPolicy, initContainers = [] } = pod.spec;
  for (const [index, status] of initStatuses.entries()) {
    if (isSidecar(initContainers[index] as V1Container)) continue;
    const ended = status.state?.terminated ?? status.lastState?.terminated;
    if (ended === undefined || ended.exitCode !== 0) return ended !== undefined && restartPolicy === 'Never' ? 'Failed' : 'Pending';
  }
  const count = (is: (status: V1ContainerStatus) => boolean): number => statuses.filter(is).length;
  const running = count(({ state }) => state?.running !== undefined);
  // One that waits to be restarted has run.
  const ended = statuses.map(({ state, lastState }) => state?.terminated ?? (state?.waiting === undefined ? undefined : lastState?.terminated));
  const stopped = ended.filter((end) => end !== undefined);
  if (running + stopped.length < statuses.length) return 'Pending';
  if (running > 0 || restartPolicy === 'Always') return 'Running';
  const failed = stopped.some(({ exitCode }) => exitCode !== 0);
  if (!failed) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

function conditions(facts: PodFacts, phase: Phase, statuses: readonly V1ContainerStatus[]): V1PodCondition[] {
  const [sandbox] = facts.observed.sandboxes;
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const why = isOver
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const condition = (type: string, holds: boolean, otherwise: { reason?: string; message?: string } = {}): V1PodCondition => ({
    type,
    status: holds ? 'True' : 'False',
    ...(holds ? {} : otherwise),
  });
  const ready = !isOver && unready.length === 0;
  return [
    condition('PodReadyToStartContainers', sandbox?.ready === true),
    condition('Initialized', isOver || isInitialized(facts), { reason: 'ContainersNotInitialized' }),
    condition('Ready', ready, why),
    condition('ContainersReady', ready, why),
    condition('PodScheduled', true),
  ];
}
