import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { errorMessage, isCode, sweepDiscarded } from '../base/index.ts';
import type { KeptType } from '../core/index.ts';
import { nowNs } from './clock.ts';
import { Container } from './containers/container.ts';
import { containerFilter, readContainerRecord } from './containers/container-record.ts';
import { takeImageMounts } from './containers/image-mounts.ts';
import { supervise } from './containers/start.ts';
import { readStatus, saveStatus } from './containers/status-file.ts';
import type { CriContext } from './context.ts';
import { discarded } from './discarded.ts';
import { containerPaths, podPaths } from './paths.ts';
import { watchPause } from './pods/pause.ts';
import { podPlan } from './pods/plan.ts';
import { Pod } from './pods/pod.ts';
import { podFilter, readPodRecord } from './pods/pod-record.ts';
import { sigkill } from './signals.ts';

/** containerd's, for a container whose end nobody saw. */
const unseenExitCode = 255;

/** How long a task of nobody has to end. */
const sweepTimeoutMs = 5_000;

/** After the task manager's own recovery: pods and containers as the stores have them, and what runs of them as it is. What a daemon that was killed had half made goes. */
export async function recoverPods(context: CriContext): Promise<void> {
  const { core, registry, paths, log } = context;
  for (const directory of ['pods', 'containers']) mkdirSync(path.join(paths.root, directory), { recursive: true, mode: 0o711 });
  for (const directory of ['pods', 'image-mounts']) mkdirSync(path.join(paths.state, directory), { recursive: true, mode: 0o711 });
  for (const record of await core.sandboxes.list([podFilter])) {
    const read = readPodRecord(record);
    if (read === undefined) continue;
    const pod = new Pod(read.facts, { status: read.isStopped ? 'stopped' : 'stopping' });
    pod.resources = read.resources;
    registry.pods.add(pod);
    if (read.isStopped) continue;
    try {
      recoverPod(context, pod);
    } catch (error) {
      log.warn('a pod cannot go on', { pod: pod.id, error: errorMessage(error) });
    }
  }
  for (const record of await core.containers.list([containerFilter])) {
    const facts = readContainerRecord(record);
    if (facts === undefined) continue;
    const container = new Container(facts, { status: 'created' });
    try {
      const { lifecycle = container.lifecycle, resources = container.resources } = readStatus(paths, facts.id) ?? {};
      Object.assign(container, { lifecycle, resources });
    } catch (error) {
      log.warn('the status of a container cannot be read', { container: facts.id, error: errorMessage(error) });
    }
    registry.containers.add(container);
    await recoverRun(context, container);
  }
  await sweep(context);
}

/** What keeps the pod's namespaces is there, and so is its process where it has one: else the machine was started anew. */
function recoverPod(context: CriContext, pod: Pod): void {
  const { id, config, facts } = pod;
  const plan = podPlan(config, context.handlers.get(facts.handler));
  const pause = context.tasks.list().find((task) => task.id === id);
  const isHeld = pause?.state().status === 'running';
  if (plan.needsPause && !isHeld) return;
  const types: readonly KeptType[] = [
    ...plan.types,
    ...(plan.mappings === undefined ? [] : (['user'] as const)),
    ...(isHeld && !plan.onMachine ? (['pid'] as const) : []),
  ];
  const paths = context.namespaces.keptAt(podPaths(context.paths, id).namespaces, types);
  if (paths === undefined) return;
  pod.state = { status: 'ready', namespaces: { sharedMemory: '/dev/shm', ...paths } };
  if (pause !== undefined) watchPause(context, pod, pause, plan);
}

async function recoverRun(context: CriContext, container: Container): Promise<void> {
  const task = context.tasks.list().find(({ id }) => id === container.id);
  if (task !== undefined && container.lifecycle.status === 'exited') {
    // The daemon was killed between noting the end and taking the task away.
    await task.wait();
    await task.delete();
  } else if (task !== undefined && task.state().status === 'created') {
    // And here between making it and letting it go: it can be started again.
    await task.delete();
  } else if (task !== undefined) {
    if (container.lifecycle.status === 'created') container.lifecycle = { status: 'running', startedAt: nowNs() };
    supervise(context, container, task);
    saveStatus(context.paths, container);
  } else if (container.lifecycle.status === 'running') {
    const { startedAt } = container.lifecycle;
    container.lifecycle = { status: 'exited', startedAt, finishedAt: nowNs(), exitCode: unseenExitCode, reason: 'Unknown', message: '' };
    saveStatus(context.paths, container);
  }
}

/** Files, namespaces, snapshots, tasks and addresses that belong to nothing. */
async function sweep(context: CriContext): Promise<void> {
  const { registry, paths, tasks, namespaces, network, core, log } = context;
  const pods = new Set(registry.pods.list().map(({ id }) => id));
  const containers = new Set(registry.containers.list().map(({ id }) => id));
  const quietly = async (what: string, id: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!isCode(error, 'NotFound')) log.warn('something of an earlier run is left', { what, id, error: errorMessage(error) });
    }
  };
  for (const task of tasks.list())
    if (!pods.has(task.id) && !containers.has(task.id) && isOurs(task.note))
      await quietly('task', task.id, async () => {
        await task.kill(sigkill).catch(() => undefined);
        await task.wait(AbortSignal.timeout(sweepTimeoutMs));
        await task.delete();
      });
  await quietly('network', '', async () => await network.gc(pods));
  for (const id of await sweepDiscarded(path.join(paths.state, 'pods')))
    if (!pods.has(id)) await quietly('namespaces', id, async () => await namespaces.release(podPaths(paths, id).namespaces));
  for (const id of await sweepDiscarded(path.join(paths.root, 'pods'))) if (!pods.has(id)) discarded(context, podPaths(paths, id).directory);
  for (const id of await sweepDiscarded(path.join(paths.root, 'containers'))) {
    if (containers.has(id)) continue;
    await quietly('snapshot', id, async () => await core.snapshots.remove(id));
    discarded(context, containerPaths(paths, id).directory);
  }
  for (const id of await sweepDiscarded(path.join(paths.state, 'image-mounts')))
    if (!containers.has(id)) await quietly('image mounts', id, async () => await takeImageMounts(context, id));
}

function isOurs(note: unknown): boolean {
  return typeof note === 'object' && note !== null && ('pod' in note || 'container' in note);
}
