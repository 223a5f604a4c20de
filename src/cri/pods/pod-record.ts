import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { criLinux, criPod } from '../../api/cri/index.ts';
import type { NewSandbox, SandboxRecord, TypedValue } from '../../core/index.ts';
import { formatJson, parseJson } from '../../oci/index.ts';
import { choiceOf, type RuntimeHandler } from '../handlers.ts';
import { kindLabel, withKind } from '../labels.ts';
import type { Pod, PodFacts } from './pod.ts';

export interface ResourcesOfPod {
  readonly overhead?: criLinux.LinuxContainerResources;
  readonly resources?: criLinux.LinuxContainerResources;
}

/** What is kept of a pod besides its configuration. */
interface PodDocument {
  readonly handler: string;
  readonly createdAt: string;
  readonly addresses: readonly string[];
  readonly networkDetails: unknown;
  readonly isStopped: boolean;
}

export const podFilter = `labels.${JSON.stringify(kindLabel)}==sandbox`;

const keys = { config: 'io.strake.cri.config', pod: 'io.strake.cri.pod', overhead: 'io.strake.cri.overhead', resources: 'io.strake.cri.resources' } as const;
const documentType = 'strake/cri.Pod';

/** Who runs pods, in containerd's words: its CRI plugin's controller. */
const sandboxer = 'podsandbox';

export function newPodRecord(pod: Pod, handler: RuntimeHandler): NewSandbox {
  const { id, config } = pod;
  return {
    id,
    labels: withKind({ name: pod.name, ...config.labels }, 'sandbox'),
    runtime: choiceOf(handler),
    spec: undefined,
    sandboxer,
    extensions: podExtensions(pod),
  };
}

export function podExtensions(pod: Pod): Readonly<Record<string, TypedValue>> {
  const { facts, state, resources } = pod;
  const { handler, createdAt, addresses, networkDetails } = facts;
  const document: PodDocument = { handler, createdAt: String(createdAt), addresses, networkDetails, isStopped: state.status === 'stopped' };
  return {
    [keys.config]: { typeUrl: criPod.PodSandboxConfigSchema.typeName, value: toBinary(criPod.PodSandboxConfigSchema, facts.config) },
    [keys.pod]: { typeUrl: documentType, value: Buffer.from(formatJson(document)) },
    ...resourcesExtension(keys.overhead, resources.overhead),
    ...resourcesExtension(keys.resources, resources.resources),
  };
}

export function readPodRecord({
  id,
  extensions,
}: SandboxRecord): { readonly facts: PodFacts; readonly resources: ResourcesOfPod; readonly isStopped: boolean } | undefined {
  const { [keys.config]: config, [keys.pod]: pod, [keys.overhead]: overhead, [keys.resources]: resources } = extensions;
  if (config === undefined || pod === undefined) return undefined;
  const { createdAt, isStopped, ...document } = parseJson(Buffer.from(pod.value).toString(), `sandbox ${id}`) as PodDocument;
  return {
    facts: { id, ...document, createdAt: BigInt(createdAt), config: fromBinary(criPod.PodSandboxConfigSchema, config.value) },
    resources: {
      ...(overhead === undefined ? {} : { overhead: fromBinary(criLinux.LinuxContainerResourcesSchema, overhead.value) }),
      ...(resources === undefined ? {} : { resources: fromBinary(criLinux.LinuxContainerResourcesSchema, resources.value) }),
    },
    isStopped,
  };
}

function resourcesExtension(key: string, resources: criLinux.LinuxContainerResources | undefined): Readonly<Record<string, TypedValue>> {
  if (resources === undefined) return {};
  return { [key]: { typeUrl: criLinux.LinuxContainerResourcesSchema.typeName, value: toBinary(criLinux.LinuxContainerResourcesSchema, resources) } };
}
