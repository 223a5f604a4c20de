import { criLinux, type criPod, criTypes } from '../../api/cri/index.ts';
import { sandboxLabels } from '../engine/labels.ts';
import { securityOptions } from '../engine/security.ts';
import { notWithEngine } from '../refuse.ts';

const { NamespaceMode } = criLinux;
/** A pod's own process asks for next to nothing of a busy processor. */
const cpuShares = 2;

export interface SandboxBodyOptions {
  readonly pauseImage: string;
  /** The engine's network that pods are on. */
  readonly network: string;
}

/** The container that holds what a pod's containers share. */
export async function sandboxBody(config: criPod.PodSandboxConfig, runtimeHandler: string, { pauseImage, network }: SandboxBodyOptions) {
  const { linux, dnsConfig } = config;
  const security = linux?.securityContext;
  const namespaces = security?.namespaceOptions;
  if (namespaces?.usernsOptions !== undefined && namespaces.usernsOptions.mode !== NamespaceMode.NODE) throw notWithEngine('a user namespace of a pod');
  const hasHostNetwork = namespaces?.network === NamespaceMode.NODE;
  const ports = hasHostNetwork ? [] : config.portMappings.filter(({ hostPort }) => hostPort > 0);
  return {
    Image: pauseImage,
    ...(hasHostNetwork || config.hostname === '' ? {} : { Hostname: config.hostname }),
    Labels: sandboxLabels(config, runtimeHandler),
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((port) => [portName(port), {}])) }),
    HostConfig: {
      NetworkMode: hasHostNetwork ? 'host' : network,
      ...(hasHostNetwork ? { UTSMode: 'host' } : {}),
      IpcMode: namespaces?.ipc === NamespaceMode.NODE ? 'host' : 'shareable',
      ...(namespaces?.pid === NamespaceMode.NODE ? { PidMode: 'host' } : {}),
      CgroupParent: linux?.cgroupParent ?? '',
      CpuShares: cpuShares,
      ReadonlyRootfs: security?.readonlyRootfs ?? false,
      Privileged: security?.privileged ?? false,
      SecurityOpt: ['no-new-privileges', ...(await securityOptions({ ...security, seccomp: undefined, apparmor: undefined }))],
      Sysctls: linux?.sysctls ?? {},
      ...(dnsConfig === undefined ? {} : { Dns: dnsConfig.servers, DnsSearch: dnsConfig.searches, DnsOptions: dnsConfig.options }),
      PortBindings: bindings(ports),
      ...(runtimeHandler === '' ? {} : { Runtime: runtimeHandler }),
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

function bindings(ports: readonly criPod.PortMapping[]) {
  const all: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const name = portName(port);
    all[name] ??= [];
    all[name].push({ HostIp: port.hostIp, HostPort: String(port.hostPort) });
  }
  return all;
}

function portName({ containerPort, protocol }: criPod.PortMapping): string {
  return `${containerPort}/${(criTypes.ProtocolSchema.value[protocol]?.name ?? 'tcp').toLowerCase()}`;
}
