import { mkdirSync } from 'node:fs';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { Task } from '../../core/tasks/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { Container } from './container.ts';
import type { ConnectedNetwork, ContainerContext } from './context.ts';
import { handleExit } from './exit.ts';
import { effectiveHostname, writeHostFiles } from './host-files.ts';
import { joinedNamespaces, sharedMemory } from './joined-namespaces.ts';
import { isRunning, never } from './lifecycle.ts';
import { logOptions } from './log-options.ts';
import { containerPaths } from './paths.ts';
import { prepareMounts } from './prepare-mounts.ts';
import { publish } from './publish.ts';
import { removeUnderMutex } from './remove.ts';
import { save } from './save.ts';
import { containerMode, containerSpec } from './spec/index.ts';
import { runtimeFailure } from './start-failure.ts';
import { nowMs, rfc3339Nano } from './time.ts';
import { resolveUser } from './user/index.ts';

/** False when it runs already. Resolves once the process runs, with every client that attached before on its streams. */
export async function startContainer(context: ContainerContext, reference: string): Promise<boolean> {
  const container = context.registry.get(reference);
  return await container.mutex.run(async () => {
    const { status } = container.lifecycle;
    if (status === 'paused') throw new StrakeError('FailedPrecondition', 'cannot start a paused container, try unpause instead');
    if (status === 'running') return false;
    if (status === 'removing' || status === 'dead') throw new StrakeError('FailedPrecondition', 'container is marked for removal and cannot be started');
    container.change({ manuallyStopped: false, restartCount: 0 });
    clearTimeout(container.restart.timer);
    container.restart.delayMs = 0;
    try {
      await launch(context, container);
    } catch (error) {
      if (container.document.hostConfig.AutoRemove) await removeUnderMutex(context, container, { volumes: true }).catch(() => undefined);
      throw error;
    }
    return true;
  });
}

/** Under the container's mutex. On failure the container is as before, with the error in its state. */
export async function launch(context: ContainerContext, container: Container): Promise<void> {
  let network: ConnectedNetwork | undefined;
  let task: Task | undefined;
  try {
    network = await connect(context, container);
    const { spec, copyUp } = await compile(context, container, network);
    task = await createTask(context, container, spec, copyUp, network);
    container.task = task;
    await attachPending(container, task);
    await startTask(task);
  } catch (error) {
    await undoLaunch(context, container, task);
    throw await recordFailure(context, container, error);
  }
  const { pid } = task.state();
  container.change({
    lifecycle: { status: 'running', pid, startedAt: rfc3339Nano(nowMs()), finishedAt: finishedBefore(container) },
    network: network?.state ?? { endpoints: {}, ports: {} },
    startedBefore: true,
  });
  supervise(context, container, task);
  publish(context, container, 'start');
  await save(context, container);
}

/** Hears of the end of the run, once. */
export function supervise(context: ContainerContext, container: Container, task: Task): void {
  task
    .wait()
    .then(async (exit) => await handleExit(context, container, task, exit))
    .catch((error: unknown) => context.log.error('the end of a container could not be handled', { container: container.id, error: errorMessage(error) }));
}

async function connect(context: ContainerContext, container: Container): Promise<ConnectedNetwork | undefined> {
  const { hostConfig, config, endpointRequests, name } = container.document;
  if (['none', 'host'].includes(hostConfig.NetworkMode) || containerMode.test(hostConfig.NetworkMode) || config.NetworkDisabled === true) return undefined;
  return await context.networks.connect({
    containerId: container.id,
    name,
    hostname: effectiveHostname(container),
    networkMode: hostConfig.NetworkMode,
    endpoints: endpointRequests,
    portBindings: hostConfig.PortBindings,
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    publishAllPorts: hostConfig.PublishAllPorts,
  });
}

async function compile(
  context: ContainerContext,
  container: Container,
  network: ConnectedNetwork | undefined,
): Promise<{ readonly spec: RuntimeSpec; readonly copyUp: readonly string[] }> {
  const { config, hostConfig } = container.document;
  const hostname = effectiveHostname(container);
  const joined = joinedNamespaces(context, container);
  const user = await userOf(context, container);
  const { copyUp, ...own } = prepareMounts(context, container);
  mkdirSync(containerPaths(context, container).directory, { recursive: true, mode: 0o710 });
  const shmSource = sharedMemory(context, container);
  const spec = containerSpec({
    id: container.id,
    config,
    hostConfig,
    user,
    hostname,
    joined,
    mounts: { ...own, hostFiles: writeHostFiles(context, container, hostname, network), ...(shmSource === undefined ? {} : { shmSource }) },
    security: context.security,
    cgroupsPath: `${hostConfig.CgroupParent === '' ? context.cgroupParent : hostConfig.CgroupParent}/${container.id}`,
    availableCapabilities: context.availableCapabilities,
  });
  return { spec, copyUp };
}

async function userOf(context: ContainerContext, container: Container) {
  const { config, hostConfig, chainId, startedBefore } = container.document;
  const mount = await context.snapshots.mounts(container.id);
  const accounts = await context.accounts.read({ kind: 'mount', mount }, startedBefore || chainId === '' ? undefined : chainId);
  return resolveUser(config.User, accounts, hostConfig.GroupAdd ?? []);
}

async function createTask(
  context: ContainerContext,
  container: Container,
  spec: RuntimeSpec,
  copyUp: readonly string[],
  network: ConnectedNetwork | undefined,
): Promise<Task> {
  const { config, hostConfig } = container.document;
  const log = logOptions(context, container);
  const [rows, cols] = hostConfig.ConsoleSize;
  try {
    return await context.tasks.create({
      id: container.id,
      spec,
      rootfs: await context.snapshots.mounts(container.id),
      stdio: {
        terminal: config.Tty,
        openStdin: config.OpenStdin,
        stdinOnce: config.StdinOnce,
        ...(rows > 0 && cols > 0 ? { consoleSize: { rows, cols } } : {}),
        ...(log === undefined ? {} : { log }),
      },
      copyUp,
      reaper: hostConfig.Init ?? false,
      ...(network === undefined ? {} : { network: network.task }),
    });
  } catch (error) {
    throw new LaunchError(error);
  }
}

async function startTask(task: Task): Promise<void> {
  try {
    await task.start();
  } catch (error) {
    throw new LaunchError(error);
  }
}

/** The runtime's failure, as against one of ours before it. */
class LaunchError extends Error {
  constructor(cause: unknown) {
    super(errorMessage(cause), { cause });
  }
}

async function attachPending(container: Container, task: Task): Promise<void> {
  for (const pending of container.pendingAttachments) {
    container.pendingAttachments.delete(pending);
    try {
      pending.attached.resolve(await task.attach(pending.options));
    } catch (error) {
      pending.attached.reject(error);
    }
  }
}

/** Nothing of a failed launch stays; the first failure is the one to tell. */
async function undoLaunch(context: ContainerContext, container: Container, task: Task | undefined): Promise<void> {
  container.task = undefined;
  const steps = [async () => await task?.delete(), async () => await context.networks.disconnect(container.id)];
  for (const step of steps)
    await step().catch((error: unknown) => context.log.warn('cleanup after a failed start', { container: container.id, error: errorMessage(error) }));
}

async function recordFailure(context: ContainerContext, container: Container, cause: unknown): Promise<Error> {
  const { exitCode, error } =
    cause instanceof LaunchError ? runtimeFailure(cause.cause) : { exitCode: 128, error: cause instanceof Error ? cause : new Error(String(cause)) };
  const { lifecycle } = container;
  const message = error.message;
  const finishedAt = finishedBefore(container);
  container.change({
    lifecycle:
      lifecycle.status === 'created' || isRunning(lifecycle)
        ? { status: 'created', exitCode, error: message, finishedAt }
        : { status: 'exited', exitCode, error: message, oomKilled: false, startedAt: 'startedAt' in lifecycle ? lifecycle.startedAt : never, finishedAt },
    network: { endpoints: {}, ports: {} },
  });
  for (const pending of container.pendingAttachments) pending.attached.reject(error);
  container.pendingAttachments.clear();
  publish(context, container, 'die', { exitCode: String(exitCode) });
  container.tellExit({ exitCode });
  container.tellStopped();
  await save(context, container).catch(() => undefined);
  return error;
}

function finishedBefore({ lifecycle }: Container): string {
  return 'finishedAt' in lifecycle ? lifecycle.finishedAt : never;
}
