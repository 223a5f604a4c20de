import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type criLinux, type criPod, criTypes } from '../../api/cri/index.ts';
import type { Node } from '../node.ts';
import { type Pod, podName } from '../pods/pod.ts';
import { cgroupParent } from './cgroup-parent.ts';
import { podDns } from './dns.ts';
import { manifestAnnotation, ownerAnnotation, sandboxLabels } from './labels.ts';
import { podResources } from './resources.ts';
import { namespaceOptions, sandboxSecurityContext } from './security-context.ts';

export type SandboxConfig = MessageInitShape<typeof criPod.PodSandboxConfigSchema>;
export type UserNamespace = MessageInitShape<typeof criLinux.UserNamespaceSchema>;

const maxHostnameBytes = 63;

/** What the runtime makes a pod's sandbox of. `attempt` counts the sandboxes that the pod had. */
export function sandboxConfig(pod: Pod, attempt: number, node: Node, userns?: UserNamespace): SandboxConfig {
  const { spec } = pod;
  const { servers, searches, options } = podDns(spec, pod.namespace, node.clusterDns, node.resolvConf);
  return {
    metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid, attempt },
    // In the machine's UTS namespace the name is the machine's.
    hostname: spec.hostNetwork === true ? '' : hostnameOf(pod, node.name),
    logDirectory: logDirectory(pod, node.podLogsDir),
    dnsConfig: { servers: [...servers], searches: [...searches], options: [...options] },
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.annotations, [manifestAnnotation]: JSON.stringify(pod.manifest), [ownerAnnotation]: node.rootDir },
    linux: {
      cgroupParent: cgroupParent(pod, node.cgroupDriver, node.cgroupRoot),
      securityContext: sandboxSecurityContext(spec, namespaceOptions(spec, userns), node),
      sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name.replaceAll('/', '.'), value])),
      resources: podResources(spec),
    },
  };
}

export function hostnameOf(pod: Pod, nodeName: string): string {
  if (pod.spec.hostNetwork === true) return nodeName;
  // A pod's name may be longer than a host's, which does not end with a dash or a point either.
  return pod.spec.hostname ?? pod.name.slice(0, maxHostnameBytes).replace(/[-.]+$/, '');
}

/** Where Kubernetes' own kubelet has a pod's logs. */
export function logDirectory(pod: Pick<Pod, 'namespace' | 'name' | 'uid'>, podLogsDir: string): string {
  return join(podLogsDir, `${podName(pod).replace('/', '_')}_${pod.uid}`);
}

const protocols: Readonly<Record<string, criTypes.Protocol>> = { TCP: criTypes.Protocol.TCP, UDP: criTypes.Protocol.UDP, SCTP: criTypes.Protocol.SCTP };

function portMappings({ spec }: Pod): NonNullable<SandboxConfig['portMappings']> {
  if (spec.hostNetwork === true) return [];
  const ports = [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => container.ports ?? []);
  return ports
    .filter(({ hostPort }) => hostPort !== undefined)
    .map(({ containerPort, hostPort = 0, hostIP = '', protocol = 'TCP' }) => ({
      containerPort,
      hostPort,
      hostIp: hostIP,
      protocol: protocols[protocol] ?? criTypes.Protocol.TCP,
    }));
}
