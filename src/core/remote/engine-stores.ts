import { leases } from '../../api/containerd/index.ts';
import { type Logger, randomId } from '../../base/index.ts';
import { type GrpcConnection, inNamespace } from '../../rpc/grpc/index.ts';
import type { NamespacedCore } from '../core.ts';
import { createComparer } from '../diff/compare.ts';
import { defaultLayerLimits, type LayerLimits, type OpenFileTree } from '../diff/diff.ts';
import type { EngineStores } from '../engine-stores.ts';
import { createLocalEventBus } from '../events/local/event-bus.ts';
import type { CollectGarbage } from '../garbage/collector.ts';
import type { ImageStore } from '../images/images.ts';
import type { LeaseResource } from '../leases/leases.ts';
import { engineNamespace } from '../local-core.ts';
import type { Snapshotter } from '../snapshots/snapshots.ts';
import { LayerUnpacker } from '../unpack/layer-unpacker.ts';
import { linkDocuments } from './link-documents.ts';
import { openRemoteCore } from './remote-core.ts';
import { engineLease, RemoteLeases } from './remote-leases.ts';

export interface RemoteEngineOptions {
  readonly connection: GrpcConnection;
  readonly log: Logger;
  readonly openFileTree: OpenFileTree;
  readonly snapshotter: string;
  /** The Engine's, `moby`, unless told. */
  readonly namespace?: string;
  readonly layerLimits?: Partial<LayerLimits>;
  readonly layersAtOnce?: number | undefined;
}

/** The stores of an engine, and what groups its containers, at another containerd of this machine: all that is made is leased until a collection of ours. */
export async function openRemoteEngineStores(
  options: RemoteEngineOptions,
): Promise<EngineStores & Pick<NamespacedCore, 'sandboxes' | 'leaseStore' | 'withLease'>> {
  const { connection, log, openFileTree, snapshotter, namespace = engineNamespace, layerLimits, layersAtOnce } = options;
  const unleased = openRemoteCore({ connection, log, snapshotter }).inNamespace(namespace);
  const held = await RemoteLeases.open({ store: unleased.leaseStore, snapshotter, log });
  const leased = unleased.withLease(engineLease);
  const { containers, images } = leased;
  const content = afterwards(leased.content, async () => await held.settled());
  const snapshots = afterwards(leased.snapshots, async () => await held.settled());
  const client = connection.with(inNamespace(namespace)).client(leases.Leases);
  const collectGarbage: CollectGarbage = async ({ activeSnapshots = false, interruptedWork = false } = {}) => {
    if (interruptedWork) held.forget();
    const sizes = new Map((await Array.fromAsync(content.walk())).map(({ digest, sizeBytes }) => [digest, sizeBytes]));
    const kinds = new Map((await Array.fromAsync(snapshots.walk())).map(({ key, kind }) => [key, kind]));
    for (const resource of await unleased.leaseStore.resources(engineLease)) {
      const isInUse =
        held.holds(resource.id) ||
        (resource.type === 'ingests' && !interruptedWork) ||
        (isSnapshot(resource) && kinds.get(resource.id) !== 'committed' && !activeSnapshots);
      if (!isInUse) await unleased.leaseStore.deleteResource(engineLease, resource);
    }
    // The end of a lease is where containerd collects before it answers.
    const id = `collect-${randomId()}`;
    await client.create({ id });
    await client.delete({ id, sync: true });
    for await (const { digest } of content.walk()) sizes.delete(digest);
    for await (const { key } of snapshots.walk()) kinds.delete(key);
    return { blobs: [...sizes.keys()], snapshots: [...kinds.keys()], freedBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
  };
  return {
    content,
    images: linking(images, async (target) => await linkDocuments(content, target, snapshotter)),
    containers,
    sandboxes: unleased.sandboxes,
    leaseStore: unleased.leaseStore,
    withLease: unleased.withLease,
    snapshots: shared(snapshots),
    // The Engine's own events are for its clients: nobody there would understand them.
    events: createLocalEventBus({ namespace }),
    leases: held,
    unpacker: new LayerUnpacker({ snapshots, openFileTree, parallel: layersAtOnce, ...(layerLimits === undefined ? {} : { limits: layerLimits }) }),
    layerLimits: { ...defaultLayerLimits, ...layerLimits },
    comparer: createComparer({ openFileTree }),
    collectGarbage,
    // What it acknowledged is durable, or made again, as it sees fit.
    restore: async () => undefined,
    flush: () => undefined,
  };
}

/** Whose methods begin when `first` is done. */
function afterwards<T extends object>(store: T, first: () => Promise<void>): T {
  return new Proxy(store, {
    get(_store, name) {
      const value: unknown = Reflect.get(store, name, store);
      if (typeof value !== 'function') return value;
      const call = (args: readonly unknown[]): unknown => value.apply(store, args);
      if (name !== 'walk' && name !== 'read')
        return async (...args: readonly unknown[]) => {
          await first();
          return await call(args);
        };
      return async function* (...args: readonly unknown[]) {
        await first();
        yield* call(args) as AsyncIterable<unknown>;
      };
    },
  });
}

function isSnapshot({ type }: LeaseResource): boolean {
  return type.startsWith('snapshots/');
}

/** Directories that others know are none of ours to clean up. */
function shared(snapshots: Snapshotter): Snapshotter {
  return new Proxy(snapshots, { get: (_snapshots, name) => (name === 'cleanup' ? async () => undefined : Reflect.get(snapshots, name)) });
}

function linking(images: ImageStore, link: (target: Parameters<ImageStore['put']>[0]['target']) => Promise<void>): ImageStore {
  return {
    ...images,
    create: async (image) => {
      await link(image.target);
      return await images.create(image);
    },
    put: async (image) => {
      await link(image.target);
      return await images.put(image);
    },
    update: async (name, change) => {
      if (change.target !== undefined) await link(change.target);
      return await images.update(name, change);
    },
  };
}
