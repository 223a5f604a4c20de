import { StrakeError } from '../../base/index.ts';
import type { PodToConnect } from '../pods/pod-network.ts';
import type { CniPlugin, JsonObject } from './network-config.ts';

/** Burst sizes are required beside rates; these are as good as none (bits). */
const unlimitedBurst = 2 ** 31 - 1;
const bandwidthAnnotations = { ingress: 'kubernetes.io/ingress-bandwidth', egress: 'kubernetes.io/egress-bandwidth' } as const;
/** Suffixes of Kubernetes's quantities */
const multipliers: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** What plugins of a pod may want to be told, by the names that CNI's CONVENTIONS.md and the kubelet's runtimes give it. */
export function capabilityArguments(pod: PodToConnect): JsonObject {
  const ports = pod.ports.filter(({ hostPort }) => hostPort !== 0);
  return {
    ...(ports.length > 0
      ? { portMappings: ports.map(({ hostPort, containerPort, protocol, hostIp }) => ({ hostPort, containerPort, protocol, hostIP: hostIp })) }
      : {}),
    ...bandwidthOf(pod.annotations),
    ...(pod.dns === undefined ? {} : { dns: pod.dns }),
    ...(pod.cgroupParent === '' ? {} : { cgroupPath: pod.cgroupParent }),
    'io.kubernetes.cri.pod-annotations': pod.annotations,
  };
}

/** Those that a plugin asks for; undefined for none. */
export function runtimeConfigOf({ capabilities }: CniPlugin, all: JsonObject): JsonObject | undefined {
  const wanted = Object.entries(all).filter(([name]) => capabilities.includes(name));
  return wanted.length === 0 ? undefined : Object.fromEntries(wanted);
}

/** CNI_ARGS: what Kubernetes's plugins look a pod up by. */
export function argumentsOf({ id, name, namespace, uid }: PodToConnect): string {
  const pairs = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: name,
    K8S_POD_INFRA_CONTAINER_ID: id,
    K8S_POD_UID: uid,
  };
  return Object.entries(pairs)
    .map(([key, value]) => {
      if (/[;=\0]/.test(value))
        throw new StrakeError('InvalidArgument', `invalid pod ${JSON.stringify(value)}: it has a ; or =`, { fields: { layer: 'network' } });
      return `${key}=${value}`;
    })
    .join(';');
}

function bandwidthOf(annotations: Readonly<Record<string, string>>): JsonObject {
  const ingress = rateOf(annotations, bandwidthAnnotations.ingress);
  const egress = rateOf(annotations, bandwidthAnnotations.egress);
  if (ingress === undefined && egress === undefined) return {};
  return {
    bandwidth: {
      ...(ingress === undefined ? {} : { ingressRate: ingress, ingressBurst: unlimitedBurst }),
      ...(egress === undefined ? {} : { egressRate: egress, egressBurst: unlimitedBurst }),
    },
  };
}

/** Bits a second. */
function rateOf(annotations: Readonly<Record<string, string>>, name: string): number | undefined {
  const text = annotations[name];
  if (text === undefined) return undefined;
  const [, digits = '', suffix = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const multiplier = multipliers[suffix];
  const rate = digits === '' || multiplier === undefined ? Number.NaN : Math.ceil(Number(digits) * multiplier);
  // As Kubernetes holds it: from a kilobit to a petabit.
  if (!(rate >= 1e3 && rate <= 1e15))
    throw new StrakeError('InvalidArgument', `invalid annotation ${name} ${JSON.stringify(text)}: a rate is from 1k to 1P`, { fields: { layer: 'network' } });
  return rate;
}
