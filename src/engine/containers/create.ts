import { mkdirSync, rmSync } from 'node:fs';
import type { ContainerConfig, ContainerCreateResponse, HostConfig } from '../../api/docker/index.ts';
import { randomId, StrakeError } from '../../base/index.ts';
import { checkHostConfig } from './check-host-config.ts';
import { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import type { EndpointRequest } from './document.ts';
import { holdImages, releaseImages } from './image-volumes.ts';
import { fresh } from './lifecycle.ts';
import { mergeConfig } from './merge-config.ts';
import { type PlannedMount, planMounts } from './mount-plan.ts';
import { checkContainerName, generateName } from './naming/index.ts';
import { normaliseHostConfig } from './normalise-host-config.ts';
import { containerPaths } from './paths.ts';
import { checkPorts, portWarnings } from './ports.ts';
import { publish } from './publish.ts';
import { newRecord } from './record.ts';
import { commandLine, containerMode } from './spec/index.ts';
import { nowMs, rfc3339Nano } from './time.ts';

export interface CreateContainer {
  /** Empty: one is made up. */
  readonly name: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

export type Undo = (() => Promise<unknown> | unknown)[];

/** Makes the container and its root filesystem; nothing of it runs or is mounted yet. */
export async function createContainer(context: ContainerContext, request: CreateContainer): Promise<ContainerCreateResponse> {
  const undo: Undo = [];
  try {
    const container = await buildContainer(context, request, undo);
    const { id, document } = container;
    await context.store.create(newRecord(context, id, document));
    context.registry.add(container);
    publish(context, container, 'create');
    return { Id: id, Warnings: portWarnings(document.hostConfig) };
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

/** Backwards, all of it. What cannot be undone is found by cleanup at the next start of the daemon: the failure before it is the one to tell. */
export async function undoAll(undo: Undo): Promise<void> {
  for (const step of undo.toReversed()) await Promise.try(step).catch(() => undefined);
}

/** A container with its name, volumes, snapshot and directory, known to nobody yet; `undo` takes the way back. */
export async function buildContainer(context: ContainerContext, request: CreateContainer, undo: Undo): Promise<Container> {
  const id = randomId();
  const { registry } = context;
  const hostConfig = normaliseHostConfig(request.hostConfig, context);
  checkHostConfig(hostConfig);
  checkPorts(hostConfig, Object.keys(request.config.ExposedPorts ?? {}));
  checkJoined(context, hostConfig);
  const image = await context.images.forContainer(request.config.Image);
  const config = withHostname(context, mergeConfig(request.config, image.config.config ?? {}), hostConfig, id);
  const planned = planMounts(config, hostConfig);
  const name = request.name === '' ? generateName((taken) => registry.isTaken(taken), id) : checkContainerName(request.name);
  registry.reserveName(name, id);
  undo.push(() => registry.releaseName(name));
  undo.push(() => releaseImages(context, id, planned));
  const mounts = await makeVolumes(context, id, await holdImages(context, id, planned), undo);
  await context.snapshots.prepare(id, image.snapshot);
  undo.push(() => context.snapshots.remove(id));
  const { directory } = containerPaths(context, { id });
  mkdirSync(directory, { recursive: true, mode: 0o710 });
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  const [path = '', ...args] = commandLine(config);
  return new Container(id, {
    name,
    createdAt: rfc3339Nano(nowMs()),
    config,
    hostConfig,
    path,
    args,
    imageId: image.id,
    chainId: image.snapshot ?? '',
    endpointRequests: request.endpoints,
    mounts,
    lifecycle: fresh,
    network: { endpoints: {}, ports: {} },
    restartCount: 0,
    manuallyStopped: false,
    startedBefore: false,
  });
}

/** A container in another's network has the other's name there too. */
function withHostname({ registry }: ContainerContext, config: ContainerConfig, { NetworkMode }: HostConfig, id: string): ContainerConfig {
  const owner = containerMode.exec(NetworkMode)?.[1];
  if (owner !== undefined) return { ...config, Hostname: registry.get(owner).document.config.Hostname };
  return config.Hostname === '' ? { ...config, Hostname: id.slice(0, 12) } : config;
}

/** Named volumes come into being with the container; anonymous ones get a name. */
async function makeVolumes(context: ContainerContext, id: string, planned: readonly PlannedMount[], undo: Undo): Promise<readonly PlannedMount[]> {
  const mounts: PlannedMount[] = [];
  for (const mount of planned) {
    if (mount.type !== 'volume') {
      mounts.push(mount);
      continue;
    }
    const volume = await context.volumes.create({
      ...(mount.name === '' ? {} : { name: mount.name }),
      ...(mount.driver === '' ? {} : { driver: mount.driver }),
      labels: mount.labels,
    });
    context.volumes.acquire(volume.Name, id);
    undo.push(async () => {
      context.volumes.release(volume.Name, id);
      if (mount.name === '') await context.volumes.remove(volume.Name);
    });
    mounts.push({ ...mount, name: volume.Name });
  }
  return mounts;
}

/** `container:X` must name a container that is there; whether it runs is asked at start. */
function checkJoined({ registry }: ContainerContext, { NetworkMode, IpcMode, PidMode }: HostConfig): void {
  for (const mode of [NetworkMode, IpcMode, PidMode]) {
    const reference = containerMode.exec(mode)?.[1];
    if (reference !== undefined && registry.find(reference) === undefined) throw new StrakeError('NotFound', `No such container: ${reference}`);
  }
}
