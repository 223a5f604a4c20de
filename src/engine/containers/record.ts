import type { ContainerRecord, NewContainer } from '../../core/index.ts';
import { specType } from '../../core/index.ts';
import { formatJson, parseJson } from '../../oci/index.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerDocument, documentKey } from './document.ts';
import { imageLabels } from './image-volumes.ts';
import { runtimeNamed } from './runtimes.ts';

const documentType = 'strake/container';

/** How the core keeps a container: all that the Engine knows is in its document; the specification is made of it at each start. */
export function newRecord({ snapshots, runtimes }: Pick<ContainerContext, 'snapshots' | 'runtimes'>, id: string, document: ContainerDocument): NewContainer {
  return {
    id,
    labels: { ...document.config.Labels, ...imageLabels(snapshots, id, document.mounts) },
    image: document.config.Image,
    runtime: runtimeNamed(runtimes, document.hostConfig.Runtime).choice,
    spec: { typeUrl: specType, value: Buffer.from('{}') },
    snapshotter: snapshots.name,
    snapshotKey: id,
    sandboxId: '',
    extensions: documentExtension(document),
  };
}

export function documentExtension(document: ContainerDocument): NewContainer['extensions'] {
  return { [documentKey]: { typeUrl: documentType, value: Buffer.from(formatJson(document)) } };
}

/** Undefined for a container that is not the Engine's. */
export function documentOf({ id, extensions }: ContainerRecord): ContainerDocument | undefined {
  const stored = extensions[documentKey];
  if (stored?.typeUrl !== documentType) return undefined;
  return parseJson(Buffer.from(stored.value).toString(), `document of container ${id}`) as ContainerDocument;
}
