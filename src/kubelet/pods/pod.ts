import { createHash } from 'node:crypto';
import { StrakeError } from '../../base/index.ts';
import type { V1Container, V1Pod, V1PodSpec } from '../kubernetes.ts';
import { withDefaults } from '../manifests/defaults.ts';
import { validatePod } from '../manifests/validate.ts';

/** A pod that can be run: checked, with every default, and an identity. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** Another manifest of the same name is another pod. */
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
  /** What the identity was made of: the manifest with its defaults. */
  readonly manifest: V1Pod;
}

/**
 * The identity follows from what the manifest says, so that whoever reads it again, also after a restart, finds the pod that runs.
 * @throws StrakeError InvalidArgument with everything that is wrong with the manifest
 */
export function makePod(manifest: V1Pod): Pod {
  const whole = withDefaults(manifest);
  const errors = validatePod(whole);
  const { metadata, spec } = whole;
  if (errors.length > 0 || metadata?.name === undefined || metadata.namespace === undefined || spec === undefined)
    throw new StrakeError('InvalidArgument', `pod ${JSON.stringify(metadata?.name ?? '')}: ${errors.join('; ')}`, { fields: { layer: 'kubelet' } });
  const { name, namespace, labels = {}, annotations = {} } = metadata;
  return { name, namespace, uid: metadata.uid ?? uidOf(whole), labels, annotations, spec, manifest: whole };
}

function uidOf({ metadata, spec }: V1Pod): string {
  const hex = createHash('sha256')
    .update(JSON.stringify(sorted({ metadata, spec })))
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** The same whatever the order in which a manifest has its fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, sorted(part)]);
}

/** How messages and logs call it. */
export function podName({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** How long its containers have to end when nothing else is said; the manifest's defaults say something always. */
export function graceMs({ spec }: Pod): number {
  return (spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

/** An init container that stays beside the others. */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === 'Always';
}
