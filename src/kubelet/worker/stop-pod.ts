import { errorMessage, isCode } from '../../base/index.ts';
import { cgroupParent } from '../config/cgroup-parent.ts';
import { logDirectory } from '../config/sandbox.ts';
import { callTimeoutMs, slowCallTimeoutMs } from '../cri.ts';
import { runHook } from '../handlers/hook.ts';
import type { V1Container } from '../kubernetes.ts';
import { removeLogs } from '../logs/rotate.ts';
import { isSidecar, type Pod } from '../pods/pod.ts';
import type { WorkerKit } from './kit.ts';
import type { ContainerRecord, PodObservation } from './observe.ts';
import { podAddress } from './start-container.ts';

/** What Kubernetes leaves a container at least, when its hook has taken all of its time. */
const minGraceMs = 2000;

export interface ContainerStop {
  readonly record: ContainerRecord;
  /** undefined: its manifest has no such container any more */
  readonly container: V1Container | undefined;
  readonly podIP: string;
  readonly graceMs: number;
}

/** Runs the hook, then stops the container; both within the time of grace, but for the last seconds. One that is gone is fine. */
export async function stopContainer(kit: WorkerKit, { record, container, podIP, graceMs }: ContainerStop): Promise<void> {
  const { runtime } = kit.cri;
  const begun = performance.now();
  const preStop = container?.lifecycle?.preStop;
  if (container !== undefined && preStop !== undefined && graceMs > 0) {
    try {
      await runHook(preStop, { containerId: record.id, container, podIP }, runtime, AbortSignal.timeout(graceMs));
    } catch (error) {
      kit.log.warn('preStop hook failed', { container: record.name, error: errorMessage(error) });
    }
  }
  const leftMs = graceMs === 0 ? 0 : Math.max(graceMs - (performance.now() - begun), Math.min(minGraceMs, graceMs));
  const timeout = BigInt(Math.ceil(leftMs / 1000));
  await unlessGone(async () => await runtime.stopContainer({ containerId: record.id, timeout }, { timeoutMs: leftMs + slowCallTimeoutMs }));
}

/** Ends what runs of a pod: first all containers but those that stand beside the others, then these, the last one first, then the sandboxes. */
export async function stopPod(kit: WorkerKit, pod: Pod, observed: PodObservation, graceMs: number): Promise<void> {
  const { initContainers = [], containers } = pod.spec;
  const [sandbox] = observed.sandboxes;
  const podIP = sandbox === undefined ? '' : podAddress(kit, sandbox);
  const begun = performance.now();
  const stop = async (record: ContainerRecord): Promise<void> => {
    const container = [...initContainers, ...containers].find(({ name }) => name === record.name);
    await stopContainer(kit, { record, container, podIP, graceMs: Math.max(0, graceMs - (performance.now() - begun)) });
  };
  const sidecars = initContainers.filter(isSidecar).map(({ name }) => name);
  const running = observed.containers.filter(({ state }) => state === 'running' || state === 'unknown');
  await Promise.all(running.filter(({ name }) => !sidecars.includes(name)).map(stop));
  for (const name of sidecars.reverse()) await Promise.all(running.filter((record) => record.name === name).map(stop));
  const { runtime } = kit.cri;
  for (const { id, ready } of observed.sandboxes)
    if (ready) await unlessGone(async () => await runtime.stopPodSandbox({ podSandboxId: id }, { timeoutMs: slowCallTimeoutMs }));
}

/** Removes all of a stopped pod: containers, sandboxes, volumes, logs, its cgroup. */
export async function removePod(kit: WorkerKit, pod: Pod, observed: PodObservation): Promise<void> {
  const { runtime } = kit.cri;
  await removeContainers(kit, observed.containers);
  for (const { id } of observed.sandboxes) {
    // Also of one that is not ready: its network may be left.
    await unlessGone(async () => await runtime.stopPodSandbox({ podSandboxId: id }, { timeoutMs: slowCallTimeoutMs }));
    await unlessGone(async () => await runtime.removePodSandbox({ podSandboxId: id }, { timeoutMs: slowCallTimeoutMs }));
  }
  await kit.volumes.remove(pod.uid);
  await kit.mounts.remove(logDirectory(pod, kit.node.podLogsDir));
  // systemd keeps its slices itself.
  if (kit.node.cgroupDriver === 'cgroupfs') await kit.mounts.removeCgroup(cgroupParent(pod, 'cgroupfs', kit.node.cgroupRoot));
}

/** Of each container the newest is kept, and the one before it, whose log and end may still be asked for; of sandboxes those that have containers. */
export async function removeSuperseded(kit: WorkerKit, observed: PodObservation): Promise<void> {
  const seen = new Map<string, number>();
  const old = observed.containers.filter(({ name, state }) => {
    const newer = seen.get(name) ?? 0;
    seen.set(name, newer + 1);
    return state !== 'running' && newer > 1;
  });
  await removeContainers(kit, old);
  const left = observed.containers.filter((record) => !old.includes(record));
  for (const { id, ready } of observed.sandboxes.slice(1))
    if (!ready && !left.some(({ sandboxId }) => sandboxId === id))
      await unlessGone(async () => await kit.cri.runtime.removePodSandbox({ podSandboxId: id }, { timeoutMs: slowCallTimeoutMs }));
}

export async function removeContainers(kit: WorkerKit, records: readonly ContainerRecord[]): Promise<void> {
  for (const { id, logPath } of records) {
    await unlessGone(async () => await kit.cri.runtime.removeContainer({ containerId: id }, { timeoutMs: callTimeoutMs }));
    removeLogs(logPath);
  }
  kit.observer.forget(records.map(({ id }) => id));
}

async function unlessGone(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
