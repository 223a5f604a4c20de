import { parseAllDocuments } from 'yaml';
import { StrakeError } from '../../base/index.ts';
import type { V1ConfigMap, V1PersistentVolumeClaim, V1Pod, V1PodTemplateSpec, V1Secret } from '../kubernetes.ts';
import { checkShape } from './check-shape.ts';

/** What one or more files ask for. */
export interface Manifests {
  readonly pods: readonly V1Pod[];
  readonly configMaps: readonly V1ConfigMap[];
  readonly secrets: readonly V1Secret[];
  readonly claims: readonly V1PersistentVolumeClaim[];
  /** What was left out, in words: unknown fields, kinds of which nothing is made. */
  readonly warnings: readonly string[];
}

/** Kubernetes' own bound of an object in etcd is 1.5 MiB. */
export const maxManifestBytes = 4 * 1024 * 1024;
const maxObjects = 1000;
/** How many pods one workload may ask for on this machine. */
const maxReplicas = 250;

/** A workload: its pods are what its template says, with names of their own. */
interface Workload {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: { readonly replicas?: number; readonly parallelism?: number; readonly template?: V1PodTemplateSpec };
}

const workloads: Readonly<Record<string, string>> = {
  Deployment: 'V1Deployment',
  ReplicaSet: 'V1ReplicaSet',
  StatefulSet: 'V1StatefulSet',
  DaemonSet: 'V1DaemonSet',
  Job: 'V1Job',
};

/**
 * Reads the documents of a file, YAML or JSON. `origin` names it in messages.
 * @throws StrakeError InvalidArgument, with every error of a document in one message
 */
export function parseManifests(text: string, origin: string): Manifests {
  const found = {
    pods: [] as V1Pod[],
    configMaps: [] as V1ConfigMap[],
    secrets: [] as V1Secret[],
    claims: [] as V1PersistentVolumeClaim[],
    warnings: [] as string[],
  };
  if (Buffer.byteLength(text) > maxManifestBytes) throw invalid(origin, `is larger than ${maxManifestBytes} bytes`);
  for (const object of objectsOf(text, origin)) {
    const { kind } = object;
    const name = `${origin}: ${String(kind)} ${JSON.stringify((object['metadata'] as { name?: unknown } | undefined)?.name ?? '')}`;
    const read = <T>(type: string): T => {
      const { value, errors, unknown } = checkShape(object, type);
      if (errors.length > 0) throw invalid(name, errors.join('; '));
      found.warnings.push(...unknown.map((field) => `${name}: unknown field ${JSON.stringify(field)}`));
      return value as T;
    };
    if (typeof kind !== 'string') throw invalid(origin, 'an object has no kind');
    if (kind === 'Pod') found.pods.push(read<V1Pod>('V1Pod'));
    else if (kind === 'ConfigMap') found.configMaps.push(read<V1ConfigMap>('V1ConfigMap'));
    else if (kind === 'Secret') found.secrets.push(read<V1Secret>('V1Secret'));
    else if (kind === 'PersistentVolumeClaim') found.claims.push(read<V1PersistentVolumeClaim>('V1PersistentVolumeClaim'));
    else if (Object.hasOwn(workloads, kind)) found.pods.push(...podsOf(kind, read<Workload>(workloads[kind] ?? ''), name));
    else found.warnings.push(`${name}: nothing is made of this kind`);
  }
  return found;
}

function objectsOf(text: string, origin: string): Record<string, unknown>[] {
  // As Kubernetes reads it (1.1: 0644 is octal, `yes` is true), but for numbers to the base of 60 and times, which it takes as texts.
  const documents = parseAllDocuments(text, { version: '1.1', merge: true, logLevel: 'error', customTags: (tags) => tags.filter((tag) => !isLeftOut(tag)) });
  const objects: Record<string, unknown>[] = [];
  const add = (value: unknown): void => {
    if (value === null || value === undefined) return;
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid(origin, 'a document must be a mapping');
    const object = value as Record<string, unknown>;
    if (object['kind'] === 'List' && Array.isArray(object['items'])) for (const item of object['items']) add(item);
    else objects.push(object);
    if (objects.length > maxObjects) throw invalid(origin, `has more than ${maxObjects} objects`);
  };
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) throw invalid(origin, error.message.split('\n')[0] ?? '');
    try {
      add(document.toJS({ maxAliasCount: 100 }));
    } catch (cause) {
      if (cause instanceof StrakeError) throw cause;
      throw invalid(origin, (cause as Error).message);
    }
  }
  return objects;
}

function isLeftOut(tag: unknown): boolean {
  if (typeof tag !== 'object' || tag === null) return false;
  const { format, tag: name } = tag as { format?: string; tag?: string };
  return format === 'TIME' || name === 'tag:yaml.org,2002:timestamp';
}

function podsOf(kind: string, { metadata, spec }: Workload, name: string): V1Pod[] {
  const count = kind === 'DaemonSet' ? 1 : ((kind === 'Job' ? spec?.parallelism : spec?.replicas) ?? 1);
  if (count < 0 || count > maxReplicas) throw invalid(name, `asks for ${count} pods; from 0 to ${maxReplicas} can be had`);
  if (metadata?.name === undefined || spec?.template === undefined) throw invalid(name, 'needs metadata.name and spec.template');
  const { template } = spec;
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: `${metadata.name}-${index}`, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  }));
}

function invalid(origin: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `${origin}: ${why}`, { fields: { layer: 'kubelet' } });
}
