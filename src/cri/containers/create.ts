import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type criContainer, criLinux, criRuntime } from '../../api/cri/index.ts';
import { errorMessage, isCode, randomId } from '../../base/index.ts';
import { mappingLabels } from '../../core/index.ts';
import type { IdMapping, RuntimeSpec } from '../../oci/index.ts';
import { injectDevices, wantedDevices } from '../cdi/inject.ts';
import { nowNs } from '../clock.ts';
import type { CriContext } from '../context.ts';
import { discarded } from '../discarded.ts';
import type { CriImage } from '../images/index.ts';
import { containerPaths, podPaths } from '../paths.ts';
import { publishPodEvent } from '../pods/events.ts';
import { sharingProcesses } from '../pods/pause.ts';
import type { Pod } from '../pods/pod.ts';
import { invalid, refused } from '../refusals.ts';
import { stopSignalName } from '../signals.ts';
import { containerSpec } from '../spec/container-spec.ts';
import type { MountInput } from '../spec/mounts.ts';
import { userMappings } from '../spec/namespaces.ts';
import { Container, containerName } from './container.ts';
import { newContainerRecord } from './container-record.ts';
import { creationLease } from './creation-lease.ts';
import { imageMountKeys, placeImageMounts, resolveImageMounts, takeImageMounts } from './image-mounts.ts';

const { NamespaceMode: Mode } = criLinux;

/** A container that waits for its start: a snapshot of its image, and a record with its OCI configuration. Nothing is left of one that fails. */
export async function createContainer(context: CriContext, pod: Pod, given: criContainer.ContainerConfig, signal: AbortSignal): Promise<Container> {
  const config = { ...given, mounts: await resolveImageMounts(context, given.mounts) };
  if (config.metadata === undefined) throw invalid('container config must include metadata');
  if (config.image === undefined || config.image.image === '') throw invalid('container config must include an image');
  pod.readyNamespaces();
  const id = randomId();
  const name = containerName(config, pod);
  using _name = context.registry.containers.reserve(name, id);
  const image = await findImage(context, config.image.image);
  const process = image.config.config ?? {};
  const stopSignal = stopSignalName(config.stopSignal, process.StopSignal);
  const namespaces = wantsShared(config) ? await sharingProcesses(context, pod, signal) : pod.readyNamespaces();
  const { directory } = containerPaths(context.paths, id);
  await using undo = new AsyncDisposableStack();
  const undoing = (work: () => Promise<unknown> | undefined) =>
    undo.defer(async () => {
      try {
        await work();
      } catch (error) {
        context.log.warn('something of a container that was not made is left', { container: id, error: errorMessage(error) });
      }
    });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  undoing(async () => rmSync(directory, { recursive: true, force: true }));
  undoing(async () => await takeImageMounts(context, id));
  await using lease = await creationLease(context.core, id);
  const { snapshots } = lease;
  const mounts = await placeImageMounts(context, snapshots, id, config.mounts);
  const rootfs = await snapshots.prepare(id, image.chainId, snapshotLabels(pod));
  undoing(async () => await snapshots.remove(id));
  const imageName = config.image.userSpecifiedImage || image.repoTags[0] || image.repoDigests[0] || image.id;
  const accounts = await context.accounts.read({ kind: 'mount', mount: rootfs }, image.chainId);
  const configured = containerSpec(
    {
      id,
      config,
      pod: { id: pod.id, config: pod.config, namespaces },
      image: { name: imageName, config: process },
      accounts,
      mounts,
      own: [...podFiles(context, pod, config), ...imageVolumes(context, id, image)],
      ...targetOf(context, pod, config),
    },
    context,
  );
  const spec = await withDevices(context, configured, config);
  const container = new Container(
    {
      id,
      podId: pod.id,
      name,
      config,
      createdAt: nowNs(),
      imageId: image.id,
      imageNames: { repoTags: image.repoTags, repoDigests: image.repoDigests },
      logPath: logPathOf(pod, config),
      stopSignal,
      user: spec.process?.user ?? { uid: 0, gid: 0 },
    },
    { status: 'created' },
  );
  const handler = context.handlers.get(pod.facts.handler);
  signal.throwIfAborted();
  await context.core.containers.create(
    newContainerRecord(container, {
      spec,
      handler,
      snapshotter: snapshots.name,
      views: imageMountKeys(id, config.mounts),
      imageLabels: process.Labels ?? {},
      imageName,
    }),
  );
  context.registry.containers.add(container);
  undo.move();
  publishPodEvent(context, pod, criRuntime.ContainerEventType.CONTAINER_CREATED_EVENT, id);
  return container;
}

/** Those of device vendors (CDI), whose files are read when somebody asks for one. */
async function withDevices({ log }: CriContext, spec: RuntimeSpec, { CDIDevices: fields, annotations }: criContainer.ContainerConfig): Promise<RuntimeSpec> {
  const names = wantedDevices(fields, annotations);
  if (names.length === 0) return spec;
  // Loaded only here, with what reads YAML.
  const { cdiDirectories, readCdiDirectory } = await import('../cdi/specification.ts');
  const broken = (file: string, error: unknown) => log.warn('a file of devices cannot be used', { file, error: errorMessage(error) });
  return injectDevices(
    spec,
    names,
    cdiDirectories.map((directory) => readCdiDirectory(directory, broken)),
  );
}

function wantsShared({ linux }: criContainer.ContainerConfig): boolean {
  return (linux?.securityContext?.namespaceOptions?.pid ?? Mode.POD) === Mode.POD;
}

async function findImage({ images }: CriContext, reference: string): Promise<CriImage> {
  try {
    return await images.get(reference);
  } catch (cause) {
    if (!isCode(cause, 'NotFound')) throw cause;
    throw refused('NotFound', `failed to resolve image ${JSON.stringify(reference)}: not found`, { image: reference }, cause);
  }
}

/** The pod's own; its containers get them unless they bring theirs. */
function podFiles({ paths }: CriContext, pod: Pod, config: criContainer.ContainerConfig): MountInput['own'] {
  const { hostname, hosts, resolvConf } = podPaths(paths, pod.id);
  const readonly = config.linux?.securityContext?.readonlyRootfs ?? false;
  return [
    { source: hostname, destination: '/etc/hostname', readonly },
    { source: hosts, destination: '/etc/hosts', readonly },
    { source: resolvConf, destination: '/etc/resolv.conf', readonly },
  ];
}

/** Directories for what the image declares as volumes; they go with the container. */
function imageVolumes({ paths }: CriContext, id: string, image: CriImage): MountInput['own'] {
  const { volumes } = containerPaths(paths, id);
  return Object.keys(image.config.config?.Volumes ?? {}).map((destination, index) => {
    const source = path.join(volumes, String(index));
    mkdirSync(source, { recursive: true, mode: 0o755 });
    // A declared path stays inside the container whatever it says (CVE-2022-23648): it is resolved in the root when it is mounted.
    return { source, destination: path.posix.normalize(`/${destination}`), readonly: false };
  });
}

/** Names of the directories that a start fills with what the image has there. */
export function volumeSources(
  spec: { readonly mounts?: readonly { readonly source?: string }[] },
  { paths }: Pick<CriContext, 'paths'>,
  id: string,
): readonly string[] {
  const { volumes } = containerPaths(paths, id);
  return (spec.mounts ?? []).flatMap(({ source }) => (source?.startsWith(`${volumes}/`) ? [source] : []));
}

function targetOf(context: CriContext, pod: Pod, config: criContainer.ContainerConfig): { readonly targetPid?: string } {
  const options = config.linux?.securityContext?.namespaceOptions;
  if (options?.pid !== Mode.TARGET) return {};
  const target = context.registry.containers.get(options.targetId);
  if (target.podId !== pod.id) throw invalid(`target container ${JSON.stringify(options.targetId)} does not belong to sandbox ${JSON.stringify(pod.id)}`);
  const pid = target.lifecycle.status === 'running' ? target.task?.state().pid : undefined;
  if (pid === undefined) throw refused('FailedPrecondition', `target container ${JSON.stringify(options.targetId)} is not running`, { container: target.id });
  return { targetPid: `/proc/${pid}/ns/pid` };
}

function logPathOf(pod: Pod, { logPath }: criContainer.ContainerConfig): string {
  const { logDirectory } = pod.config;
  return logDirectory === '' || logPath === '' ? '' : path.join(logDirectory, logPath);
}

/** With a user namespace the layers show other owners. */
function snapshotLabels(pod: Pod): Readonly<Record<string, string>> {
  const mappings = userMappings(pod.config.linux?.securityContext?.namespaceOptions?.usernsOptions);
  if (mappings === undefined) return {};
  const text = (maps: readonly IdMapping[] = []) => maps.map(({ containerID, hostID, size }) => `${containerID}:${hostID}:${size}`).join(',');
  return { [mappingLabels.uids]: text(mappings.uidMappings), [mappingLabels.gids]: text(mappings.gidMappings) };
}

export function discardContainerFiles(context: CriContext, id: string): void {
  discarded(context, containerPaths(context.paths, id).directory);
}
