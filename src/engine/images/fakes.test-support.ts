/** In-memory stores for the tests of this folder. */
import { StrakeError, silentLogger } from '../../base/index.ts';
import { type ContentStore, type ImageRecord, type ImageStore, Leases, type Snapshotter } from '../../core/index.ts';
import { chainIds, type Descriptor, digestOf, type ImageConfig, type Manifest, mediaTypes } from '../../oci/index.ts';
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
    leases,
    collectGarbage: async () => await sweepAll({ store, blobs, snapshots, leases }),
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

/** What the core's collector does, for images of one manifest. */
async function sweepAll({ store, blobs, snapshots, leases }: Pick<Fixture, 'blobs' | 'snapshots' | 'leases'> & { readonly store: ImageStore }): Promise<{
  readonly snapshots: readonly string[];
  readonly freedBytes: number;
}> {
  const json = (digest: string) => JSON.parse(String(Buffer.from(blobs.get(digest) ?? Buffer.from('{}')))) as Partial<Manifest & ImageConfig>;
  const marked = new Set<string>();
  for (const { target } of await store.list()) {
    const { config, layers = [] } = json(target.digest) as Partial<Manifest>;
    const digests = [target, ...(config ? [config] : []), ...layers].map(({ digest }) => digest);
    for (const name of [...digests, ...chainIds(json(config?.digest ?? '').rootfs?.diff_ids ?? [])]) marked.add(name);
  }
  const isGarbage = (name: string) => !(marked.has(name) || leases.holds(name));
  for (const digest of [...blobs.keys()].filter(isGarbage)) blobs.delete(digest);
  const gone = [...snapshots.keys()].filter(isGarbage);
  for (const key of gone) snapshots.delete(key);
  return { snapshots: gone, freedBytes: 0 };
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
    update: async (name, { target, labels }) => {
      const record = records.get(name);
      if (record === undefined) throw notFound(name);
      return await put({ name, target: target ?? record.target, labels: labels ?? record.labels });
    },
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
    async info(digest: string) {
      if (!blobs.has(digest)) throw notFound(digest);
      return { digest };
    },
  } as unknown as ContentStore;
}

function createMemorySnapshots(snapshots: Map<string, string | undefined>): Snapshotter {
  return {
    async usage(key: string) {
      if (!snapshots.has(key)) throw notFound(key);
      return { sizeBytes: 100, inodes: 1 };
    },
  } as unknown as Snapshotter;
}
