import { StrakeError } from '../../base/index.ts';
import type { V1ConfigMap, V1PersistentVolumeClaim, V1Secret } from '../kubernetes.ts';

/** The configMaps, secrets and claims that manifests bring. Objects of another namespace than the pod's are not seen. */
export interface Objects {
  /** Its entries as bytes. undefined: there is none. */
  configMap(namespace: string, name: string): ReadonlyMap<string, Buffer> | undefined;
  secret(namespace: string, name: string): SecretEntries | undefined;
  claim(namespace: string, name: string): V1PersistentVolumeClaim | undefined;
}

export interface SecretEntries {
  /** Such as `kubernetes.io/dockerconfigjson`. */
  readonly type: string;
  readonly entries: ReadonlyMap<string, Buffer>;
}

interface Sources {
  readonly configMaps: readonly V1ConfigMap[];
  readonly secrets: readonly V1Secret[];
  readonly claims: readonly V1PersistentVolumeClaim[];
}

export function objectsOf({ configMaps, secrets, claims }: Sources): Objects {
  const maps = byName(configMaps, ({ data = {}, binaryData = {} }) => new Map([...textEntries(data), ...base64Entries(binaryData)]));
  const secretEntries = byName(secrets, ({ type = 'Opaque', data = {}, stringData = {} }) => ({
    type,
    entries: new Map([...base64Entries(data), ...textEntries(stringData)]),
  }));
  const allClaims = byName(claims, (claim) => claim);
  const find =
    <T>(from: ReadonlyMap<string, T>) =>
    (namespace: string, name: string): T | undefined =>
      from.get(`${namespace}/${name}`);
  return { configMap: find(maps), secret: find(secretEntries), claim: find(allClaims) };
}

function byName<T extends { metadata?: { name?: string; namespace?: string } }, Value>(
  objects: readonly T[],
  read: (object: T) => Value,
): ReadonlyMap<string, Value> {
  return new Map(objects.map((object) => [`${object.metadata?.namespace || 'default'}/${object.metadata?.name ?? ''}`, read(object)]));
}

function textEntries(values: Readonly<Record<string, string>>): [string, Buffer][] {
  return Object.entries(values).map(([key, text]) => [key, Buffer.from(text)]);
}

function base64Entries(values: Readonly<Record<string, string>>): [string, Buffer][] {
  return Object.entries(values).map(([key, text]) => [key, Buffer.from(text, 'base64')]);
}

/** What a pod needs and the manifests do not have: it waits for it. */
export function missingObject(kind: 'configMap' | 'secret' | 'persistentVolumeClaim', namespace: string, name: string): StrakeError {
  return new StrakeError('NotFound', `${kind} "${namespace}/${name}" not found`, {
    fields: { layer: 'kubelet', remedy: `put a manifest of it into the directory of the pod's` },
  });
}
