import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { criRuntime } from '../../api/cri/index.ts';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { CreateTask, ExitStatus, Task } from '../../core/tasks/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { nowNs, nsOf } from '../clock.ts';
import type { CriContext } from '../context.ts';
import { runtimeOf } from '../handlers.ts';
import { containerPaths } from '../paths.ts';
import { publishPodEvent } from '../pods/events.ts';
import { refused } from '../refusals.ts';
import type { Container } from './container.ts';
import { volumeSources } from './create.ts';
import { oomKilledReason } from './status.ts';
import { saveStatus } from './status-file.ts';

const { ContainerEventType: Event } = criRuntime;
/** containerd's, for one whose process could not be started. */
const startErrorCode = 128;

/** Resolves once the process runs. A failed start is an end, with the reason in the status: the interface knows no second try. */
export async function startContainer(context: CriContext, container: Container, signal: AbortSignal): Promise<void> {
  await container.mutex.run(async () => {
    const pod = context.registry.pods.get(container.podId);
    pod.readyNamespaces();
    if (container.lifecycle.status !== 'created')
      throw refused('FailedPrecondition', `container ${JSON.stringify(container.id)} is in ${container.lifecycle.status} state`, { container: container.id });
    let task: Task | undefined;
    try {
      task = await context.tasks.create(await taskRequest(context, container, pod.facts.handler, signal));
      await task.start();
    } catch (cause) {
      await task?.delete().catch((error: unknown) => context.log.warn('cleanup after a failed start', { container: container.id, error: errorMessage(error) }));
      const message = errorMessage(cause);
      const at = nowNs();
      container.lifecycle = { status: 'exited', startedAt: 0n, finishedAt: at, exitCode: startErrorCode, reason: 'StartError', message };
      saveStatus(context.paths, container);
      throw cause instanceof StrakeError
        ? new StrakeError(cause.code, `failed to start container ${JSON.stringify(container.id)}: ${message}`, { cause, fields: cause.fields })
        : cause;
    }
    rmSync(containerPaths(context.paths, container.id).restore, { recursive: true, force: true });
    container.lifecycle = { status: 'running', startedAt: nowNs() };
    supervise(context, container, task);
    saveStatus(context.paths, container);
    publishPodEvent(context, pod, Event.CONTAINER_STARTED_EVENT, container.id);
  });
}

/** Hears of the end of the run, once, and of what is killed for memory before. */
export function supervise(context: CriContext, container: Container, task: Task): void {
  container.task = task;
  task.oomKills.listen(() => {
    if (container.lifecycle.status !== 'running') return;
    container.lifecycle = { ...container.lifecycle, oomKilled: true };
    saveStatus(context.paths, container);
  });
  container.ended = task
    .wait()
    .then(async (exit) => await handleExit(context, container, task, exit))
    .catch((error: unknown) => context.log.error('the end of a container could not be handled', { container: container.id, error: errorMessage(error) }));
}

async function handleExit(context: CriContext, container: Container, task: Task, { code, at, oomKilled }: ExitStatus): Promise<void> {
  const { lifecycle } = container;
  const { startedAt, oomKilled: wasToldOfOom = false } = lifecycle.status === 'running' ? lifecycle : { startedAt: 0n };
  const finishedAt = nsOf(at) > startedAt ? nsOf(at) : nowNs();
  container.lifecycle = { status: 'exited', startedAt, finishedAt, exitCode: code, reason: oomKilled || wasToldOfOom ? oomKilledReason : '', message: '' };
  saveStatus(context.paths, container);
  const pod = context.registry.pods.find(container.podId);
  if (pod !== undefined) publishPodEvent(context, pod, Event.CONTAINER_STOPPED_EVENT, container.id);
  await task.delete();
  container.task = undefined;
}

async function taskRequest(context: CriContext, container: Container, handlerName: string, signal: AbortSignal): Promise<CreateTask> {
  const { id, facts } = container;
  const { config, logPath } = facts;
  const { spec } = await context.core.containers.get(id);
  const parsed = parseRuntimeSpec(Buffer.from(spec.value).toString());
  // What RestorePod laid there.
  const { restore } = containerPaths(context.paths, id);
  if (logPath !== '') mkdirSync(path.dirname(logPath), { recursive: true, mode: 0o755 });
  return {
    id,
    spec: parsed,
    rootfs: await context.core.snapshots.mounts(id),
    ...runtimeOf(context.handlers.get(handlerName)),
    stdio: {
      terminal: config.tty,
      openStdin: config.stdin,
      stdinOnce: config.stdinOnce,
      // Who rotates is the kubelet, by ReopenContainerLog.
      ...(logPath === '' ? {} : { log: { path: logPath, driver: 'cri', maxSizeBytes: 0, maxFiles: 1 } }),
    },
    copyUp: volumeSources(parsed, context, id),
    ...(existsSync(restore) ? { restore: { imagePath: restore } } : {}),
    note: { container: id },
    startsAtOnce: true,
    signal,
  };
}
