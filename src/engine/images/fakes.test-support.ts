/** In-memory stores for the tests of this folder. */
import { StrakeError, silentLogger } from '../../base/index.ts';
import type { ContentStore } from '../../core/content/content.ts';
import type { ImageRecord, ImageStore } from '../../core/images/images.ts';
import type { Snapshotter } from '../../core/snapshots/snapshots.ts';
import { chainIds, type Descriptor, digestOf, mediaTypes } from '../../oci/index.ts';
import type { BuiltinImages } from './builtin-images.ts';
import { Images } from './images.ts';

export interface Fixture {
  readonly images: Images;
  readonly blobs: Map<string, Uint8Array>;
  /** Snapshot keys, and by how many containers each is used. */
  readonly snapshots: Map<string, number>;
  readonly events: string[];
  readonly names: () => Promise<readonly string[]>;
  /** Stores an image with these layers, as a pull would. */
  readonly addContent: (layers: readonly string[], config?: object) => Descriptor;
}

export function createFixture(builtins: BuiltinImages = { create: async () => undefined }): Fixture {
  const blobs = new Map<string, Uint8Array>();
  const snapshots = new Map<string, number>();
  const events: string[] = [];
  const store = createMemoryImageStore();
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const images = new Images({
    content: createMemoryContent(blobs),
    store,
    snapshots: createMemorySnapshots(snapshots),
    events: { publish: ({ action, attributes }) => events.push(`${action} ${attributes?.['name'] ?? ''}`) },
    builtins,
    log: silentLogger,
  });
  return {
    images,
    blobs,
    snapshots,
    events,
    names: async () => (await store.list()).map(({ name }) => name),
    addContent(layers, config = {}) {
      const diffIds = layers.map((layer) => digestOf(layer));
      for (const chainId of chainIds(diffIds)) snapshots.set(chainId, 0);
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
    const at = new Date((clock += 1000));
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
    async writer({ ref, expectedDigest }: { readonly ref: string; readonly expectedDigest?: string }) {
      if (expectedDigest !== undefined && blobs.has(expectedDigest)) throw new StrakeError('AlreadyExists', expectedDigest);
      let written: Uint8Array = new Uint8Array();
      return {
        ref,
        offsetBytes: 0,
        async write(chunk: Uint8Array) {
          written = Buffer.concat([written, chunk]);
        },
        async truncate() {
          written = new Uint8Array();
        },
        async commit({ digest }: { readonly digest?: string }) {
          if (digest !== digestOf(written)) throw new StrakeError('FailedPrecondition', 'digest mismatch');
          blobs.set(digest, written);
        },
        async close() {},
        async [Symbol.asyncDispose]() {},
      };
    },
    async delete(digest: string) {
      if (!blobs.delete(digest)) throw notFound(digest);
    },
  } as unknown as ContentStore;
}

function createMemorySnapshots(snapshots: Map<string, number>): Snapshotter {
  return {
    async usage(key: string) {
      if (!snapshots.has(key)) throw notFound(key);
      return { sizeBytes: 100, inodes: 1 };
    },
    async remove(key: string) {
      if (!snapshots.has(key)) throw notFound(key);
      if ((snapshots.get(key) ?? 0) > 0) throw new StrakeError('FailedPrecondition', `${key} has children`);
      snapshots.delete(key);
    },
  } as unknown as Snapshotter;
}
