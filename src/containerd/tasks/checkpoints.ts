/** Checkpoints between a directory, as criu has them, and the content store, as clients do. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import type { Descriptor as WireDescriptor } from '../../api/containerd/index.ts';
import { randomId, StrakeError } from '../../base/index.ts';
import { archiveTree, type ContentStore, extractArchive, type OpenFileTree, type TypedValue } from '../../core/index.ts';

/** containerd, core/images/mediatypes.go */
const mediaTypes = {
  image: 'application/vnd.containerd.container.criu.checkpoint.criu.tar',
  config: 'application/vnd.containerd.container.checkpoint.config.v1+proto',
} as const;

export interface CheckpointPlace {
  readonly content: ContentStore;
  readonly openFileTree: OpenFileTree;
  readonly signal: AbortSignal;
}

type StoredDescriptor = Pick<WireDescriptor, 'mediaType' | 'digest' | 'size'>;

/** A private directory below `parent`, which goes with its user. */
export function temporaryDirectory(parent: string): Disposable & { readonly path: string } {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(path.join(parent, 'checkpoint-'));
  return { path: directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The image in `directory` as an archive, and the container's configuration beside it. */
export async function storeCheckpoint(
  { content, openFileTree, signal }: CheckpointPlace,
  directory: string,
  spec: TypedValue,
): Promise<readonly StoredDescriptor[]> {
  await using tree = await openFileTree(directory, { signal });
  const image = await store(content, archiveTree(tree), mediaTypes.image);
  const config = toBinary(AnySchema, create(AnySchema, { ...spec }));
  return [image, await store(content, [config], mediaTypes.config)];
}

/** Unpacks what `storeCheckpoint` stored. InvalidArgument for another type. */
export async function loadCheckpoint(
  { content, openFileTree, signal }: CheckpointPlace,
  { mediaType, digest }: StoredDescriptor,
  directory: string,
): Promise<void> {
  if (mediaType !== mediaTypes.image)
    throw new StrakeError('InvalidArgument', `unsupported checkpoint type ${JSON.stringify(mediaType)}`, { fields: { layer: 'containerd' } });
  await using tree = await openFileTree(directory, { signal });
  await extractArchive(content.read(digest, { signal }), tree, { signal });
}

async function store(content: ContentStore, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, mediaType: string): Promise<StoredDescriptor> {
  await using writer = await content.writer({ ref: `checkpoint-${randomId()}` });
  for await (const chunk of source) await writer.write(chunk);
  const { digest, sizeBytes } = await writer.commit({});
  return { mediaType, digest, size: BigInt(sizeBytes) };
}
