import path from 'node:path';
import type { ContainerInspect, EndpointSettings, MountPoint, NetworkSettings } from '../../api/docker/index.ts';
import { isCode } from '../../base/index.ts';
import { storageDriver } from '../storage-driver.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { imageDirectory } from './image-volumes.ts';
import { describeState, isRunning } from './lifecycle.ts';
import { mountPoint } from './mount-plan.ts';
import { containerPaths, logPath } from './paths.ts';
import { containerSizes } from './sizes.ts';
import { containerMode } from './spec/index.ts';

export async function inspectContainer(context: ContainerContext, reference: string, options: { readonly size: boolean }): Promise<ContainerInspect> {
  const container = context.registry.get(reference);
  const { document, id } = container;
  const { hostConfig } = document;
  const paths = containerPaths(context, container);
  const started = document.startedBefore;
  const execIds = [...container.execs.values()].filter(({ running }) => running).map((exec) => exec.id);
  return {
    Id: id,
    Created: document.createdAt,
    Path: document.path,
    Args: document.args,
    State: describeState(document.lifecycle),
    Image: document.imageId,
    ResolvConfPath: started ? paths.resolvConf : '',
    HostnamePath: started ? paths.hostname : '',
    HostsPath: started ? paths.hosts : '',
    LogPath: started ? logPath(context, container) : '',
    Name: `/${document.name}`,
    RestartCount: document.restartCount,
    Driver: storageDriver(context.snapshots),
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: hostConfig,
    GraphDriver: { Data: await layerDirectories(context, container), Name: storageDriver(context.snapshots) },
    ...(options.size ? await containerSizes(context, container) : {}),
    Mounts: mountPoints(context, container),
    Config: document.config,
    NetworkSettings: networkSettings(container),
  };
}

/** Where the layers are, as overlay2 says it. The root is mounted in the container's own namespace only: the host sees it at /proc/PID/root. */
async function layerDirectories({ snapshots }: ContainerContext, { id, document: { lifecycle } }: Container): Promise<Readonly<Record<string, string>> | null> {
  // Lost with the database that a container was taken in again after.
  const mount = await snapshots.mounts(id).catch(unlessNotFound);
  if (mount?.type !== 'overlay' || mount.upper === undefined || mount.work === undefined) return null;
  const merged = isRunning(lifecycle) ? `/proc/${lifecycle.pid}/root` : path.join(path.dirname(mount.upper), 'merged');
  return { ID: id, LowerDir: mount.lowers.join(':'), MergedDir: merged, UpperDir: mount.upper, WorkDir: mount.work };
}

function unlessNotFound(error: unknown): undefined {
  if (!isCode(error, 'NotFound')) throw error;
}

export function mountPoints(context: Pick<ContainerContext, 'volumes' | 'imageMountDirectory'>, container: Container): readonly MountPoint[] {
  const volumeOf = (name: string) => context.volumes.mountpoint(name);
  const imageAt = (destination: string) => imageDirectory(context, container.id, destination);
  return container.document.mounts.map((mount) => mountPoint(mount, volumeOf, imageAt)).filter((point) => point !== undefined);
}

/** By network name; a container that does not run has its networks without addresses. */
export function endpoints({ document, running }: Container): Readonly<Record<string, EndpointSettings>> {
  const { hostConfig, network, endpointRequests } = document;
  if (running && Object.keys(network.endpoints).length > 0) return network.endpoints;
  const mode = hostConfig.NetworkMode;
  if (containerMode.test(mode)) return {};
  return Object.fromEntries([...new Set([mode, ...Object.keys(endpointRequests)])].map((name) => [name, { ...noEndpoint, ...endpointRequests[name] }]));
}

function networkSettings(container: Container): NetworkSettings {
  const all = endpoints(container);
  const bridge = all['bridge'];
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: '',
    Ports: container.running ? container.document.network.ports : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks: all,
  };
}

const noEndpoint: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};
