import { StrakeError } from '../../base/index.ts';
import type { V1Container, V1ResourceFieldSelector } from '../kubernetes.ts';
import { quantityMilli, quantityUnits } from '../quantity.ts';
import type { Pod } from './pod.ts';

/** What a pod can learn of itself and of its place only once it has one. */
export interface PodPlace {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  /** Empty until its network is made. */
  readonly podIPs: readonly string[];
}

const whole: Readonly<Record<string, (pod: Pod, place: PodPlace) => string>> = {
  'metadata.name': ({ name }) => name,
  'metadata.namespace': ({ namespace }) => namespace,
  'metadata.uid': ({ uid }) => uid,
  'metadata.labels': ({ labels }) => mapText(labels),
  'metadata.annotations': ({ annotations }) => mapText(annotations),
  'spec.nodeName': (_pod, { nodeName }) => nodeName,
  'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
  'status.hostIP': (_pod, { hostIPs }) => hostIPs[0] ?? '',
  'status.hostIPs': (_pod, { hostIPs }) => hostIPs.join(','),
  'status.podIP': (_pod, { podIPs }) => podIPs[0] ?? '',
  'status.podIPs': (_pod, { podIPs }) => podIPs.join(','),
};

/**
 * The value of a field of the downward API.
 * @throws StrakeError InvalidArgument when there is no such field
 */
export function fieldText(path: string, pod: Pod, place: PodPlace): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map !== undefined && key !== undefined) {
    const values = map === 'labels' ? pod.labels : pod.annotations;
    return Object.hasOwn(values, key) ? (values[key] ?? '') : '';
  }
  const read = Object.hasOwn(whole, path) ? whole[path] : undefined;
  if (read === undefined) throw invalid(`a pod has no field ${JSON.stringify(path)} to be told`);
  return read(pod, place);
}

function mapText(values: Readonly<Record<string, string>>): string {
  return Object.keys(values)
    .sort()
    .map((key) => `${key}=${JSON.stringify(values[key])}`)
    .join('\n');
}

/** What the machine has: the limits of who has none. */
export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: bigint;
}

/**
 * The value of a limit or request in units of the divisor, rounded up.
 * @throws StrakeError InvalidArgument when there is no such container or resource
 */
export function resourceText(selector: V1ResourceFieldSelector, pod: Pod, self: V1Container | undefined, machine: MachineSize): string {
  const { spec } = pod;
  const { containerName, resource, divisor } = selector;
  const container = containerName === undefined ? self : [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === containerName);
  if (container === undefined) throw invalid(`pod ${pod.name} has no container ${JSON.stringify(containerName ?? '')}`);
  const [, list, name = ''] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-\w+)$/.exec(resource) ?? [];
  if (list === undefined) throw invalid(`a container has no resource ${JSON.stringify(resource)}`);
  const quantity = container.resources?.[list as 'limits' | 'requests']?.[name];
  const isCpu = name === 'cpu';
  const machineAmount = isCpu ? BigInt(machine.cpus) * 1000n : name === 'memory' ? machine.memoryBytes : 0n;
  const missing = list === 'limits' ? machineAmount : 0n;
  const amount = quantity === undefined ? missing : isCpu ? quantityMilli(quantity) : quantityUnits(quantity);
  const text = divisor === undefined || divisor === '' || /^0+$/.test(divisor) ? '1' : divisor;
  const unit = isCpu ? quantityMilli(text) : quantityUnits(text);
  return String((amount + unit - 1n) / unit);
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kubelet' } });
}
