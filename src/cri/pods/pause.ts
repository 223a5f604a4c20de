import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type criPod, criRuntime } from '../../api/cri/index.ts';
import { errorMessage, isCode } from '../../base/index.ts';
import type { KeptNamespaces, KeptType } from '../../core/index.ts';
import type { Task } from '../../core/tasks/index.ts';
import type { Namespace, RuntimeSpec } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { type RuntimeHandler, runtimeOf } from '../handlers.ts';
import { podPaths } from '../paths.ts';
import { sigkill } from '../signals.ts';
import { pauseSpec } from '../spec/pause-spec.ts';
import { publishPodEvent } from './events.ts';
import { type PodPlan, podPlan } from './plan.ts';
import type { Pod, PodNamespaces } from './pod.ts';

export interface StartPause {
  readonly podId: string;
  readonly config: criPod.PodSandboxConfig;
  readonly handler: RuntimeHandler;
  /** Those that it joins. */
  readonly kept: PodNamespaces;
  readonly plan: PodPlan;
  readonly signal: AbortSignal;
}

/** The first process of a pod whose containers share processes or users, or whose runtime wants one. Its root is empty but for its program. */
export async function startPause(context: CriContext, { podId, config, handler, kept, plan, signal }: StartPause): Promise<Task> {
  const spec = pauseSpec(
    {
      podId,
      config,
      namespaces: namespacesOf(kept, plan),
      mappings: plan.mappings,
      ...(plan.mappings === undefined ? { hostname: undefined, sysctls: {} } : { hostname: plan.hostname, sysctls: plan.sysctls }),
    },
    context,
  );
  const root = path.join(context.paths.state, 'pause-root');
  makePauseRoot(root, spec);
  const task = await context.tasks.create({
    id: podId,
    spec,
    rootfs: { type: 'directory', path: root },
    ...runtimeOf(handler),
    stdio: { terminal: false, openStdin: false, stdinOnce: false },
    note: { pod: podId },
    signal,
  });
  await task.start();
  return task;
}

/** The same one for every pod. With its mount points: a runtime that is in a user namespace by then may make none. */
function makePauseRoot(root: string, { mounts = [] }: RuntimeSpec): void {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  for (const { destination, type } of mounts) {
    const mountPoint = path.join(root, destination);
    if (type === 'bind') writeFileSync(mountPoint, '', { flag: 'a', mode: 0o444 });
    else mkdirSync(mountPoint, { recursive: true, mode: 0o555 });
  }
}

/** The pod's namespaces with one that its containers share for their processes, which is made when the first of them asks. */
export async function sharingProcesses(context: CriContext, pod: Pod, signal: AbortSignal): Promise<PodNamespaces> {
  return await pod.mutex.run(async () => {
    const { id, config, facts } = pod;
    const namespaces = pod.readyNamespaces();
    const handler = context.handlers.get(facts.handler);
    const plan = podPlan(config, handler);
    if (plan.onMachine || namespaces.pid !== undefined) return namespaces;
    const pause = await startPause(context, { podId: id, config, handler, kept: namespaces, plan, signal });
    const shared = { ...namespaces, ...(await keepPause(context, id, pause, plan)) };
    pod.state = { status: 'ready', namespaces: shared };
    watchPause(context, pod, pause, plan);
    return shared;
  });
}

/** A pod whose first process is gone, though nobody ended the pod, has lost what that held. */
export function watchPause(context: CriContext, pod: Pod, pause: Task, { needsPause }: PodPlan): void {
  void pause.wait().then(async () => {
    if (pod.state.status !== 'ready') return;
    context.log.warn('the first process of a pod has ended', { pod: pod.id });
    const { pid: _, ...namespaces } = pod.state.namespaces;
    // One that was made for sharing alone is made again when it is asked for.
    if (!needsPause) pod.state = { status: 'ready', namespaces };
    else {
      pod.state = { status: 'stopping' };
      publishPodEvent(context, pod, criRuntime.ContainerEventType.CONTAINER_STOPPED_EVENT);
    }
    await pause.delete().catch((error: unknown) => context.log.warn('a pause process could not be taken away', { pod: pod.id, error: errorMessage(error) }));
  });
}

/** What containers find of it, at paths that lead to nobody else once it is gone. */
export async function keepPause(
  { namespaces, paths }: CriContext,
  podId: string,
  pause: Task,
  { onMachine, mappings, types }: PodPlan,
): Promise<KeptNamespaces> {
  const own: readonly KeptType[] = [...(onMachine ? [] : (['pid'] as const)), ...(mappings === undefined ? [] : (['user', ...types] as const))];
  return await namespaces.keepOf(pause.state().pid, own, podPaths(paths, podId).namespaces);
}

/** Idempotent, and to be repeated when it fails. */
export async function endPause({ tasks }: Pick<CriContext, 'tasks'>, podId: string): Promise<void> {
  const pause = tasks.list().find(({ id }) => id === podId);
  if (pause === undefined) return;
  try {
    if (pause.state().status !== 'stopped') await pause.kill(sigkill);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
  await pause.wait();
  await pause.delete();
}

function namespacesOf(kept: PodNamespaces, { onMachine, mappings, types }: PodPlan): readonly Namespace[] {
  return [
    { type: 'mount' },
    ...(onMachine ? [] : [{ type: 'pid' } as const]),
    ...(mappings === undefined ? [] : [{ type: 'user' } as const]),
    ...types.map(
      (type): Namespace => (mappings === undefined ? { type, path: (type === 'uts' ? kept.uts : type === 'ipc' ? kept.ipc : kept.network) ?? '' } : { type }),
    ),
  ];
}
