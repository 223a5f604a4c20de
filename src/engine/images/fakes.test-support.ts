/** In-memory stores for the tests of this folder. */
import { StrakeError, silentLogger } from '../../base/index.ts';
import {
  type ContainerStore,
  type ContentStore,
  collectGarbage,
  type ImageRecord,
  type ImageStore,
  Leases,
  type SnapshotInfo,
  type Snapshotter,
} from '../../core/index.ts';
import { chainIds, type Descriptor, digestOf, mediaTypes } from '../../oci/index.ts';
import type { BuiltinImages } from './builtin-images.ts';
import { Images } from './images.ts';

export interface Fixture {
  readonly images: Images;
  readonly blobs: Map<string, Uint8Array>;
  /** Committed snapshots and their parents. */
  readonly snapshots: Map<string, string | undefined>;
  readonly leases: Leases;
  readonly events: string[];
  readonly names: () => Promise<readonly string[]>;
  /** Stores an image with these layers, as a pull would. */
  readonly addContent: (layers: readonly string[], config?: object) => Descriptor;
}

export function createFixture(builtins: BuiltinImages = { create: async () => undefined }): Fixture {
  const blobs = new Map<string, Uint8Array>();
  const snapshots = new Map<string, string | undefined>();
  const events: string[] = [];
  const store = createMemoryImageStore();
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const content = createMemoryContent(blobs);
  const snapshotter = createMemorySnapshots(snapshots);
  const leases = new Leases();
  const images = new Images({
    content,
    store,
    snapshots: snapshotter,
    collectGarbage: async () =>
      await collectGarbage({ content, snapshots: snapshotter, images: store, containers: { list: async () => [] } as unknown as ContainerStore, leases }),
    flush() {},
    events: { publish: ({ action, attributes }) => events.push(`${action} ${attributes?.['name'] ?? ''}`) },
    builtins,
    log: silentLogger,
  });
  return {
    images,
    blobs,
    snapshots,
    leases,
    events,
    names: async () => (await store.list()).map(({ name }) => name),
    addContent(layers, config = {}) {
      const diffIds = layers.map((layer) => digestOf(layer));
      for (const [index, chainId] of chainIds(diffIds).entries()) snapshots.set(chainId, chainIds(diffIds)[index - 1]);
      const document = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds }, ...config };
      const configDescriptor = put(mediaTypes.ociConfig, Buffer.from(JSON.stringify(document)));
      const layerDescriptors = layers.map((layer) => put(mediaTypes.ociLayer, Buffer.from(layer)));
      return put(mediaTypes.ociManifest, Buffer.from(JSON.stringify({ schemaVersion: 2, config: configDescriptor, layers: layerDescriptors })));
    },
  };
}

const notFound = (what: string) => new StrakeError('NotFound', `${what}: not found`);

function createMemoryImageStore(): ImageStore {
  const records = new Map<string, ImageRecord>();
  let clock = 1_700_000_000_000;
  const put: ImageStore['put'] = async ({ name, target, labels = {} }) => {
    clock += 1000;
    const at = new Date(clock);
    const record = { name, target, labels, createdAt: records.get(name)?.createdAt ?? at, updatedAt: at };
    records.set(name, record);
    return record;
  };
  return {
    async get(name) {
      const record = records.get(name);
      if (record === undefined) throw notFound(name);
      return record;
    },
    list: async () => [...records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    create: put,
    put,
    async delete(name) {
      if (!records.delete(name)) throw notFound(name);
    },
  };
}

function createMemoryContent(blobs: Map<string, Uint8Array>): ContentStore {
  return {
    async readAll(digest: string) {
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw notFound(digest);
      return bytes;
    },
    ingests: async () => [],
    async *walk() {
      for (const [digest, bytes] of blobs) yield { digest, sizeBytes: bytes.length };
    },
    async delete(digest: string) {
      if (!blobs.delete(digest)) throw notFound(digest);
    },
  } as unknown as ContentStore;
}

function createMemorySnapshots(snapshots: Map<string, string | undefined>): Snapshotter {
  return {
    async usage(key: string) {
      if (!snapshots.has(key)) throw notFound(key);
      return { sizeBytes: 100, inodes: 1 };
    },
    async remove(key: string) {
      if (!snapshots.has(key)) throw notFound(key);
      if ([...snapshots.values()].includes(key)) throw new StrakeError('FailedPrecondition', `${key} has children`);
      snapshots.delete(key);
    },
    async *walk() {
      for (const [key, parent] of snapshots) yield { key, parent, kind: 'committed' } as SnapshotInfo;
    },
  } as unknown as Snapshotter;
}
