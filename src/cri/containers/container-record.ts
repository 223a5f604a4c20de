import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { criContainer } from '../../api/cri/index.ts';
import type { ContainerRecord, NewContainer, TypedValue } from '../../core/index.ts';
import { specType } from '../../core/index.ts';
import { formatJson, parseJson, type RuntimeSpec } from '../../oci/index.ts';
import { choiceOf, type RuntimeHandler } from '../handlers.ts';
import { kindLabel, withKind } from '../labels.ts';
import type { Container, ContainerFacts } from './container.ts';

/** What is kept of a container besides its configuration. */
type ContainerDocument = Omit<ContainerFacts, 'id' | 'podId' | 'config' | 'createdAt'> & { readonly createdAt: string };

export const containerFilter = `labels.${JSON.stringify(kindLabel)}==container`;

const keys = { config: 'io.strake.cri.config', container: 'io.strake.cri.container' } as const;
const documentType = 'strake/cri.Container';

export interface RecordedContainer {
  readonly spec: RuntimeSpec;
  readonly handler: RuntimeHandler;
  readonly snapshotter: string;
  /** Other snapshots that it keeps. */
  readonly views: readonly string[];
  /** Those of its image. */
  readonly imageLabels: Readonly<Record<string, string>>;
  readonly imageName: string;
}

export function newContainerRecord({ facts }: Container, { spec, handler, snapshotter, views, imageLabels, imageName }: RecordedContainer): NewContainer {
  const { id, podId, config, createdAt, ...document } = facts;
  return {
    id,
    labels: { ...withKind({ ...imageLabels, ...config.labels }, 'container'), ...viewLabels(snapshotter, views) },
    image: imageName,
    runtime: choiceOf(handler),
    spec: specValue(spec),
    snapshotter,
    snapshotKey: id,
    sandboxId: podId,
    extensions: {
      [keys.config]: { typeUrl: criContainer.ContainerConfigSchema.typeName, value: toBinary(criContainer.ContainerConfigSchema, config) },
      [keys.container]: { typeUrl: documentType, value: Buffer.from(formatJson({ ...document, createdAt: String(createdAt) } satisfies ContainerDocument)) },
    },
  };
}

/** As containerd's garbage collection reads them. */
function viewLabels(snapshotter: string, views: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(views.map((key, index) => [`containerd.io/gc.ref.snapshot.${snapshotter}/${index}`, key]));
}

export function specValue(spec: RuntimeSpec): TypedValue {
  return { typeUrl: specType, value: Buffer.from(formatJson(spec)) };
}

export function readContainerRecord({ id, sandboxId, extensions }: ContainerRecord): ContainerFacts | undefined {
  const { [keys.config]: config, [keys.container]: container } = extensions;
  if (config === undefined || container === undefined) return undefined;
  const { createdAt, ...document } = parseJson(Buffer.from(container.value).toString(), `container ${id}`) as ContainerDocument;
  return { ...document, id, podId: sandboxId, createdAt: BigInt(createdAt), config: fromBinary(criContainer.ContainerConfigSchema, config.value) };
}
