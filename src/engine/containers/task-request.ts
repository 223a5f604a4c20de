import { mkdirSync } from 'node:fs';
import { errorCode, errorMessage, StrakeError } from '../../base/index.ts';
import { type ResolvedUser, resolveUser } from '../../core/index.ts';
import type { CreateTask } from '../../core/tasks/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { Container } from './container.ts';
import type { ConnectedNetwork, ContainerContext } from './context.ts';
import { documentKey } from './document.ts';
import { effectiveHostname, writeHostFiles } from './host-files.ts';
import { joinedNamespaces, sharedMemory } from './joined-namespaces.ts';
import { logOptions } from './log-options.ts';
import { containerPaths } from './paths.ts';
import { prepareMounts } from './prepare-mounts.ts';
import { runtimeNamed } from './runtimes.ts';
import { containerMode, containerSpec } from './spec/index.ts';

/** Addresses and operations for the container's networks; undefined when it is in none of its own. */
export async function connectNetwork(context: ContainerContext, container: Container): Promise<ConnectedNetwork | undefined> {
  const { hostConfig, config, endpointRequests, name } = container.document;
  if (['none', 'host'].includes(hostConfig.NetworkMode) || containerMode.test(hostConfig.NetworkMode) || config.NetworkDisabled === true) return undefined;
  try {
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
  } catch (cause) {
    throw new StrakeError(errorCode(cause), `failed to set up container networking: ${errorMessage(cause)}`, { cause });
  }
}

/** What the task layer is asked to run for the container. Writes its hosts, hostname and resolv.conf files, and makes the sources that `-v` promises. */
export async function taskRequest(context: ContainerContext, container: Container, network: ConnectedNetwork | undefined): Promise<CreateTask> {
  const { config, hostConfig } = container.document;
  const { copyUp, ...mounts } = prepareMounts(context, container);
  const log = logOptions(context, container);
  const [rows, cols] = hostConfig.ConsoleSize;
  const { binary } = runtimeNamed(context.runtimes, hostConfig.Runtime);
  return {
    id: container.id,
    spec: await specOf(context, container, network, mounts),
    rootfs: await context.snapshots.mounts(container.id),
    // Its files go with it.
    volatileRoot: hostConfig.AutoRemove,
    stdio: {
      terminal: config.Tty,
      openStdin: config.OpenStdin,
      // A terminal stays when its client goes: that may have been a detach.
      stdinOnce: config.StdinOnce && !config.Tty,
      ...(rows > 0 && cols > 0 ? { consoleSize: { rows, cols } } : {}),
      ...(log === undefined ? {} : { log }),
    },
    copyUp,
    ...(binary === undefined ? {} : { runtime: binary }),
    reaper: hostConfig.Init ?? false,
    note: { [documentKey]: { ...container.document, network: network?.state ?? container.document.network } },
    ...(network === undefined ? {} : { network: network.task }),
  };
}

async function specOf(
  context: ContainerContext,
  container: Container,
  network: ConnectedNetwork | undefined,
  mounts: Omit<ReturnType<typeof prepareMounts>, 'copyUp'>,
): Promise<RuntimeSpec> {
  const { config, hostConfig } = container.document;
  const hostname = effectiveHostname(container);
  const joined = joinedNamespaces(context, container);
  const user = await userOf(context, container);
  mkdirSync(containerPaths(context, container).directory, { recursive: true, mode: 0o710 });
  const shmSource = sharedMemory(context, container);
  return containerSpec({
    id: container.id,
    config,
    hostConfig,
    user,
    hostname,
    joined,
    mounts: { ...mounts, hostFiles: writeHostFiles(context, container, hostname, network), ...(shmSource === undefined ? {} : { shmSource }) },
    security: context.security,
    cgroupsPath: `${hostConfig.CgroupParent === '' ? context.cgroupParent : hostConfig.CgroupParent}/${container.id}`,
    availableCapabilities: context.availableCapabilities,
  });
}

async function userOf(context: ContainerContext, container: Container): Promise<ResolvedUser> {
  const { config, hostConfig, chainId, startedBefore } = container.document;
  const mount = await context.snapshots.mounts(container.id);
  const accounts = await context.accounts.read({ kind: 'mount', mount }, startedBefore || chainId === '' ? undefined : chainId);
  return resolveUser(config.User, accounts, hostConfig.GroupAdd ?? []);
}
