import { StrakeError } from '../../base/index.ts';
import type { V1KeyToPath, V1Volume } from '../kubernetes.ts';
import type { EnvironmentSources } from '../pods/environment.ts';
import { fieldText, resourceText } from '../pods/fields.ts';
import { missingObject } from '../pods/objects.ts';
import type { Pod } from '../pods/pod.ts';
import type { ProjectedFile } from './atomic-directory.ts';

type Files = ReadonlyMap<string, ProjectedFile>;
type DownwardItems = NonNullable<NonNullable<V1Volume['downwardAPI']>['items']>;

interface KeyedSource {
  readonly name: string;
  readonly items?: readonly V1KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

/**
 * The files of a volume that shows a configMap, a secret, fields of the pod, or all of them. undefined: the volume is of another kind.
 * @throws StrakeError NotFound for an object or a key that is not there and not optional
 */
export function projectedFiles(volume: V1Volume, pod: Pod, sources: EnvironmentSources): Files | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  const configMapFiles = ({ name = '', items, optional }: { name?: string; items?: V1KeyToPath[]; optional?: boolean }, mode: number) =>
    keyedFiles('configMap', { name, items, optional }, sources.objects.configMap(pod.namespace, name), pod.namespace, mode);
  const secretFiles = ({ name = '', items, optional }: { name?: string; items?: V1KeyToPath[]; optional?: boolean }, mode: number) =>
    keyedFiles('secret', { name, items, optional }, sources.objects.secret(pod.namespace, name)?.entries, pod.namespace, mode);
  if (configMap !== undefined) return configMapFiles(configMap, configMap.defaultMode ?? 0o644);
  if (secret !== undefined) return secretFiles({ ...secret, name: secret.secretName ?? '' }, secret.defaultMode ?? 0o644);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], pod, sources, downwardAPI.defaultMode ?? 0o644);
  if (projected === undefined) return undefined;
  const mode = projected.defaultMode ?? 0o644;
  const files = new Map<string, ProjectedFile>();
  for (const source of projected.sources ?? []) {
    const some = [
      ...(source.configMap === undefined ? [] : configMapFiles(source.configMap, mode)),
      ...(source.secret === undefined ? [] : secretFiles(source.secret, mode)),
      ...(source.downwardAPI === undefined ? [] : downwardFiles(source.downwardAPI.items ?? [], pod, sources, mode)),
    ];
    for (const [name, file] of some) files.set(name, file);
  }
  return files;
}

function keyedFiles(
  kind: 'configMap' | 'secret',
  { name, items, optional = false }: KeyedSource,
  entries: ReadonlyMap<string, Buffer> | undefined,
  namespace: string,
  defaultMode: number,
): Files {
  if (entries === undefined && !optional) throw missingObject(kind, namespace, name);
  const there = entries ?? new Map<string, Buffer>();
  if (items === undefined) return new Map([...there].map(([key, bytes]) => [key, { bytes, mode: defaultMode }]));
  const files = new Map<string, ProjectedFile>();
  for (const { key, path, mode } of items) {
    const bytes = there.get(key);
    if (bytes !== undefined) files.set(path, { bytes, mode: mode ?? defaultMode });
    else if (!optional) throw new StrakeError('NotFound', `${kind} "${namespace}/${name}" has no key ${JSON.stringify(key)}`, { fields: { layer: 'kubelet' } });
  }
  return files;
}

function downwardFiles(items: DownwardItems, pod: Pod, { place, machine }: EnvironmentSources, defaultMode: number): Files {
  return new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode }) => {
      const text =
        fieldRef !== undefined
          ? fieldText(fieldRef.fieldPath, pod, place)
          : resourceFieldRef !== undefined
            ? resourceText(resourceFieldRef, pod, undefined, machine)
            : '';
      return [path, { bytes: Buffer.from(text), mode: mode ?? defaultMode }];
    }),
  );
}
