import type { Logger } from '../base/index.ts';
import type { ContainerStore } from './containers/containers.ts';
import { createLocalContainerStore } from './containers/local/container-store.ts';
import type { ContentStore } from './content/content.ts';
import { LocalContentStore } from './content/local/content-store.ts';
import { createComparer } from './diff/compare.ts';
import { createCopyTree } from './diff/copy-tree.ts';
import { type Comparer, defaultLayerLimits, type LayerLimits, type OpenFileTree } from './diff/diff.ts';
import type { EventBus } from './events/events.ts';
import { createLocalEventBus } from './events/local/event-bus.ts';
import { type CollectGarbage, GarbageCollector } from './garbage/collector.ts';
import { DocumentLinks } from './garbage/document-links.ts';
import { KeptLeases, Leases } from './garbage/leases.ts';
import type { ImageStore } from './images/images.ts';
import { createLocalImageStore } from './images/local/image-store.ts';
import type { LeaseStore } from './leases/leases.ts';
import { createLocalLeaseStore } from './leases/local/lease-store.ts';
import { MetadataDatabase } from './metadata/index.ts';
import { checkSnapshotter, type SnapshotterName } from './snapshots/local/check-snapshotter.ts';
import { LocalSnapshotter } from './snapshots/local/local-snapshotter.ts';
import { nativeLayout } from './snapshots/local/native-layout.ts';
import { overlayLayout } from './snapshots/local/overlay-layout.ts';
import type { Snapshotter } from './snapshots/snapshots.ts';
import { LayerUnpacker } from './unpack/layer-unpacker.ts';

export interface LocalCoreOptions {
  /** The data root, such as /var/lib/strake. One process at a time may use it: its owner holds a lock. */
  readonly root: string;
  readonly log: Logger;
  readonly openFileTree: OpenFileTree;
  /** `overlayfs` unless told. One data root has snapshots of one snapshotter: FailedPrecondition for another. */
  readonly snapshotter?: SnapshotterName;
  readonly layerLimits?: Partial<LayerLimits>;
  /** Layers that are fetched and unpacked at once; 3 unless told. */
  readonly layersAtOnce?: number | undefined;
  readonly now?: () => Date;
}

/** All stores over one data root. */
export interface LocalCore extends Disposable {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly events: EventBus;
  readonly unpacker: LayerUnpacker;
  /** What a layer, and an archive of images, may be. */
  readonly layerLimits: LayerLimits;
  readonly comparer: Comparer;
  /** Of running work. */
  readonly leases: Leases;
  /** Of clients. */
  readonly leaseStore: LeaseStore;
  /** Removes what nothing needs any more. */
  readonly collectGarbage: CollectGarbage;
  /** What was acknowledged so far survives a power loss. */
  flush(): void;
}

/** The content store alone, for who keeps no images and runs no containers. */
export function openLocalContent({
  root,
  log,
  now = () => new Date(),
}: Pick<LocalCoreOptions, 'root' | 'log' | 'now'>): Disposable & { readonly content: ContentStore } {
  const db = MetadataDatabase.open({ root, log, now });
  return { content: new LocalContentStore({ root, db, log, now }), [Symbol.dispose]: () => db[Symbol.dispose]() };
}

export function openLocalCore({
  root,
  log,
  openFileTree,
  snapshotter = 'overlayfs',
  layerLimits,
  layersAtOnce,
  now = () => new Date(),
}: LocalCoreOptions): LocalCore {
  const db = MetadataDatabase.open({ root, log, now });
  const comparer = createComparer({ openFileTree });
  checkSnapshotter(db, snapshotter);
  const layout = snapshotter === 'native' ? nativeLayout(createCopyTree({ comparer, openFileTree })) : overlayLayout;
  const snapshots = new LocalSnapshotter({ root, db, openFileTree, log, now, layout });
  const content = new LocalContentStore({ root, db, log, now });
  const links = new DocumentLinks({ db, content, snapshotter: snapshots.name });
  const leases = new Leases(new KeptLeases(db, now));
  const collector = new GarbageCollector({ db, content, snapshots, links, leases, log, now });
  return {
    content,
    snapshots,
    images: createLocalImageStore({ db, link: async (target) => void (await links.link(target)), now }),
    containers: createLocalContainerStore(db, now),
    events: createLocalEventBus({ now }),
    layerLimits: { ...defaultLayerLimits, ...layerLimits },
    unpacker: new LayerUnpacker({ snapshots, openFileTree, parallel: layersAtOnce, ...(layerLimits === undefined ? {} : { limits: layerLimits }) }),
    comparer,
    leases,
    leaseStore: createLocalLeaseStore(db, now),
    collectGarbage: async (options) => await collector.collect(options),
    flush: () => db.checkpoint(),
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}
