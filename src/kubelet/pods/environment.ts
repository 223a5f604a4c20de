import { StrakeError } from '../../base/index.ts';
import type { V1Container, V1EnvVar } from '../kubernetes.ts';
import { expand } from './expand.ts';
import { fieldText, type MachineSize, type PodPlace, resourceText } from './fields.ts';
import { missingObject, type Objects } from './objects.ts';
import type { Pod } from './pod.ts';

export interface EnvironmentSources {
  readonly objects: Objects;
  readonly place: PodPlace;
  readonly machine: MachineSize;
}

/**
 * The variables of a container, in the order of its manifest; a later one of the same name replaces the earlier.
 * @throws StrakeError NotFound for an object or a key that is not there and not optional
 */
export function makeEnvironment(pod: Pod, container: V1Container, sources: EnvironmentSources): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const entries =
      configMapRef !== undefined
        ? entriesOf(
            sources.objects.configMap(pod.namespace, configMapRef.name ?? ''),
            () => missingObject('configMap', pod.namespace, configMapRef.name ?? ''),
            configMapRef.optional,
          )
        : secretRef !== undefined
          ? entriesOf(
              sources.objects.secret(pod.namespace, secretRef.name ?? '')?.entries,
              () => missingObject('secret', pod.namespace, secretRef.name ?? ''),
              secretRef.optional,
            )
          : new Map<string, Buffer>();
    for (const [key, bytes] of entries) variables.set(`${prefix}${key}`, bytes.toString());
  }
  for (const variable of container.env ?? []) {
    const text = variableText(variable, pod, container, sources, variables);
    if (text !== undefined) variables.set(variable.name, text);
  }
  return variables;
}

function entriesOf(entries: ReadonlyMap<string, Buffer> | undefined, missing: () => StrakeError, optional = false): ReadonlyMap<string, Buffer> {
  if (entries === undefined && !optional) throw missing();
  return entries ?? new Map();
}

function variableText(
  { value, valueFrom }: V1EnvVar,
  pod: Pod,
  container: V1Container,
  { objects, place, machine }: EnvironmentSources,
  known: ReadonlyMap<string, string>,
): string | undefined {
  if (valueFrom === undefined) return expand(value ?? '', known);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldText(fieldRef.fieldPath, pod, place);
  if (resourceFieldRef !== undefined) return resourceText(resourceFieldRef, pod, container, machine);
  if (configMapKeyRef !== undefined) {
    const { name = '' } = configMapKeyRef;
    return keyText('configMap', pod.namespace, { ...configMapKeyRef, name }, objects.configMap(pod.namespace, name));
  }
  if (secretKeyRef !== undefined) {
    const { name = '' } = secretKeyRef;
    return keyText('secret', pod.namespace, { ...secretKeyRef, name }, objects.secret(pod.namespace, name)?.entries);
  }
  throw new StrakeError('InvalidArgument', `a variable of container ${container.name} has a source that is not known: ${Object.keys(valueFrom).join(', ')}`, {
    fields: { layer: 'kubelet' },
  });
}

interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

function keyText(
  kind: 'configMap' | 'secret',
  namespace: string,
  { name, key, optional }: KeyReference,
  entries: ReadonlyMap<string, Buffer> | undefined,
): string | undefined {
  const bytes = entries?.get(key);
  if (bytes !== undefined) return bytes.toString();
  if (optional === true) return undefined;
  if (entries === undefined) throw missingObject(kind, namespace, name);
  throw new StrakeError('NotFound', `couldn't find key ${key} in ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${namespace}/${name}`, {
    fields: { layer: 'kubelet' },
  });
}
