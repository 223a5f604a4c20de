import { stringify } from 'yaml';
import { type criContainer, criLinux } from '../../api/cri/index.ts';
import { StrakeError } from '../../base/index.ts';
import { manifestAnnotation, ownerAnnotation } from '../config/labels.ts';
import { type Cri, callTimeoutMs } from '../cri.ts';
import type { V1Container, V1Pod, V1Volume } from '../kubernetes.ts';

type Status = criContainer.ContainerStatus;

/** What a kubelet mounts by itself. */
const ownMounts = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev/shm', '/dev/termination-log']);
/** Labels and annotations by which kubelets and runtimes find things again. */
const ownKey = /^(io\.kubernetes\.|kubernetes\.io\/|strake\.io\/)/;

/**
 * The manifest of a pod that runs, as YAML: the one that it was made from, or, of a pod that somebody else made, what the runtime says of it. `name` is a pod's
 * name, with its namespace before a slash or without, or the beginning of its id.
 * @throws StrakeError NotFound, and FailedPrecondition when several are meant
 */
export async function generateManifest({ runtime }: Cri, name: string): Promise<string> {
  const { items } = await runtime.listPodSandbox({}, { timeoutMs: callTimeoutMs });
  const matches = items.filter(({ id, metadata }) => id.startsWith(name) || metadata?.name === name || `${metadata?.namespace}/${metadata?.name}` === name);
  const newest = matches.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const [sandbox] = newest;
  if (sandbox === undefined) throw new StrakeError('NotFound', `there is no pod ${JSON.stringify(name)}`, { fields: { layer: 'kubelet' } });
  if (newest.some(({ metadata }) => metadata?.uid !== sandbox.metadata?.uid)) {
    const all = newest.map(({ id, metadata }) => `${metadata?.namespace}/${metadata?.name} (${id.slice(0, 12)})`).sort();
    throw new StrakeError('FailedPrecondition', `several pods are meant by ${JSON.stringify(name)}: ${all.join(', ')}`, {
      fields: { layer: 'kubelet', remedy: 'name one by its namespace and name, or by its id' },
    });
  }
  const known = sandbox.annotations[manifestAnnotation];
  const manifest = known === undefined ? await describePod(runtime, sandbox.id) : (JSON.parse(known) as V1Pod);
  return stringify({ apiVersion: 'v1', kind: 'Pod', ...manifest }, { version: '1.1', lineWidth: 0 });
}

async function describePod(runtime: Cri['runtime'], podSandboxId: string): Promise<V1Pod> {
  const { status } = await runtime.podSandboxStatus({ podSandboxId }, { timeoutMs: callTimeoutMs });
  const { containers } = await runtime.listContainers({ filter: { podSandboxId } }, { timeoutMs: callTimeoutMs });
  const newest = new Map(containers.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)).map((container) => [container.metadata?.name ?? '', container]));
  const volumes: V1Volume[] = [];
  const described: V1Container[] = [];
  for (const { id } of newest.values()) {
    const { status: container, info } = await runtime.containerStatus({ containerId: id, verbose: true }, { timeoutMs: callTimeoutMs });
    if (container !== undefined) described.push(describeContainer(container, configOf(info), volumes));
  }
  const { NODE, POD } = criLinux.NamespaceMode;
  const options = status?.linux?.namespaces?.options;
  return {
    metadata: {
      name: status?.metadata?.name ?? '',
      namespace: status?.metadata?.namespace ?? '',
      ...named('labels', status?.labels ?? {}),
      ...named('annotations', status?.annotations ?? {}),
    },
    spec: {
      ...(options?.network === NODE ? { hostNetwork: true } : {}),
      ...(options?.pid === NODE ? { hostPID: true } : {}),
      ...(options?.pid === POD ? { shareProcessNamespace: true } : {}),
      ...(options?.ipc === NODE ? { hostIPC: true } : {}),
      ...(status?.runtimeHandler ? { runtimeClassName: status.runtimeHandler } : {}),
      containers: described,
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

function named(key: 'labels' | 'annotations', values: Readonly<Record<string, string>>): object {
  const others = Object.entries(values).filter(([name]) => !ownKey.test(name) && name !== ownerAnnotation);
  return others.length === 0 ? {} : { [key]: Object.fromEntries(others) };
}

/** What runtimes tell of a container's configuration beyond its status, as containerd's CRI words it. */
interface VerboseConfig {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly working_dir?: string;
  readonly envs?: readonly { readonly key?: string; readonly value?: string }[];
  readonly tty?: boolean;
  readonly stdin?: boolean;
}

function configOf(info: Readonly<Record<string, string>>): VerboseConfig {
  try {
    return (JSON.parse(info['info'] ?? '{}') as { config?: VerboseConfig }).config ?? {};
  } catch {
    return {};
  }
}

function describeContainer(status: Status, config: VerboseConfig, volumes: V1Volume[]): V1Container {
  const { command = [], args = [], envs = [], working_dir: workingDir = '', tty, stdin } = config;
  const mounts = status.mounts.filter(({ containerPath, hostPath }) => hostPath !== '' && !ownMounts.has(containerPath));
  const volumeMounts = mounts.map(({ containerPath, hostPath, readonly }) => {
    const volume = volumes.find((known) => known.hostPath?.path === hostPath) ?? { name: `volume-${volumes.length}`, hostPath: { path: hostPath } };
    if (!volumes.includes(volume)) volumes.push(volume);
    return { name: volume.name, mountPath: containerPath, ...(readonly ? { readOnly: true } : {}) };
  });
  const { memoryLimitInBytes: memory = 0n, cpuQuota: quota = 0n, cpuPeriod: period = 0n } = status.resources?.linux ?? {};
  const limits = { ...(quota > 0n && period > 0n ? { cpu: `${(quota * 1000n) / period}m` } : {}), ...(memory > 0n ? { memory: String(memory) } : {}) };
  return {
    name: status.metadata?.name ?? '',
    image: status.image?.userSpecifiedImage || status.image?.image || '',
    ...(command.length === 0 ? {} : { command: [...command] }),
    ...(args.length === 0 ? {} : { args: [...args] }),
    ...(workingDir === '' ? {} : { workingDir }),
    ...(envs.length === 0 ? {} : { env: envs.map(({ key = '', value = '' }) => ({ name: key, value })) }),
    ...(tty === true ? { tty } : {}),
    ...(stdin === true ? { stdin } : {}),
    ...(Object.keys(limits).length === 0 ? {} : { resources: { limits } }),
    ...(volumeMounts.length === 0 ? {} : { volumeMounts }),
  };
}
