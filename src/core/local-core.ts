import { checkIdentifier, type Logger, StrakeError } from '../base/index.ts';
import { createLocalContainerStore } from './containers/local/container-store.ts';
import type { ContentStore } from './content/content.ts';
import { BlobFiles } from './content/local/blob-files.ts';
import { LocalContentStore } from './content/local/content-store.ts';
import type { Core, NamespacedCore } from './core.ts';
import { createComparer } from './diff/compare.ts';
import { createCopyTree } from './diff/copy-tree.ts';
import { type Comparer, defaultLayerLimits, type LayerLimits, type OpenFileTree } from './diff/diff.ts';
import type { EventExchange } from './events/events.ts';
import { createLocalExchange } from './events/local/event-bus.ts';
import { type CollectGarbage, GarbageCollector } from './garbage/collector.ts';
import { DocumentLinks } from './garbage/document-links.ts';
import { KeptLeases, Leases } from './garbage/leases.ts';
import { GarbageSchedule } from './garbage/schedule.ts';

import { createLocalImageStore } from './images/local/image-store.ts';
import { leaseStores } from './leases/leased-stores.ts';
import { createLocalLeaseStore } from './leases/local/lease-store.ts';
import type { LocalScope } from './local-scope.ts';
import { MetadataDatabase } from './metadata/index.ts';
import { createLocalNamespaceStore } from './namespaces/local/namespace-store.ts';
import { createLocalSandboxStore } from './sandboxes/local/sandbox-store.ts';
import { checkSnapshotter, type SnapshotterName, snapshotterNames } from './snapshots/local/check-snapshotter.ts';
import { SnapshotDirectories } from './snapshots/local/directories.ts';
import type { SnapshotLayout } from './snapshots/local/layout.ts';
import { LocalSnapshotter } from './snapshots/local/local-snapshotter.ts';
import { nativeLayout } from './snapshots/local/native-layout.ts';
import { overlayLayout } from './snapshots/local/overlay-layout.ts';
import { sealSnapshotRecords } from './snapshots/local/records.ts';
import { type UnsyncedOptions, UnsyncedSnapshots } from './snapshots/local/unsynced.ts';
import { LayerUnpacker } from './unpack/layer-unpacker.ts';
import { restoreSnapshots } from './unpack/restore-snapshots.ts';

export interface LocalCoreOptions {
  /** The data root, such as /var/lib/strake. One process at a time may use it: its owner holds a lock. */
  readonly root: string;
  readonly log: Logger;
  readonly openFileTree: OpenFileTree;
  /** The default one, `overlayfs` unless told. The Engine's namespace has snapshots of one snapshotter: FailedPrecondition for another. */
  readonly snapshotter?: SnapshotterName;
  readonly layerLimits?: Partial<LayerLimits>;
  /** Layers that are fetched and unpacked at once; 3 unless told. */
  readonly layersAtOnce?: number | undefined;
  readonly now?: () => Date;
  /** Of the sync of snapshots. */
  readonly unsynced?: Pick<UnsyncedOptions, 'bootId' | 'quietMs'>;
}

/** The Engine's, as dockerd calls its own at containerd. */
export const engineNamespace = 'moby';

/** Stores of one namespace of a data root, and what works on them in this process. */
export interface LocalNamespace extends NamespacedCore {
  readonly unpacker: LayerUnpacker;
  /** Of running work. */
  readonly leases: Leases;
  withLease(id: string): LocalNamespace;
}

/** All stores over one data root; those at the top are of the Engine's namespace. */
export interface LocalCore extends LocalNamespace, Core, Disposable {
  inNamespace(name: string): LocalNamespace;
  /** What a layer, and an archive of images, may be. */
  readonly layerLimits: LayerLimits;
  readonly comparer: Comparer;
  /** Removes what nothing needs any more, in all namespaces. */
  readonly collectGarbage: CollectGarbage;
  /** From here on garbage is collected some time after something was removed, until it is disposed of; for who has clients that do not ask for it. */
  collectWhenRemoved(): AsyncDisposable;
  /** Called after each collection: for what is not the core's, and ends with what was collected. A failure is the collection's. */
  onCollected(listener: () => Promise<void>): void;
  /** Once, before anything uses a snapshot: what a power loss took of the snapshots of images is unpacked again. */
  restore(): Promise<void>;
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
  const scope = { db, namespace: engineNamespace, now, events: { publish: () => undefined }, enter: () => undefined, removed: () => undefined };
  return { content: new LocalContentStore({ ...scope, files: new BlobFiles(root), log }), [Symbol.dispose]: () => db[Symbol.dispose]() };
}

export function openLocalCore({
  root,
  log,
  openFileTree,
  snapshotter = 'overlayfs',
  layerLimits,
  layersAtOnce,
  now = () => new Date(),
  unsynced: syncing = {},
}: LocalCoreOptions): LocalCore {
  const db = MetadataDatabase.open({ root, log, now });
  checkSnapshotter(db, engineNamespace, snapshotter);
  sealSnapshotRecords(db);
  const comparer = createComparer({ openFileTree });
  const exchange = createLocalExchange({ now });
  const directories = new SnapshotDirectories({ root, db, openFileTree, log });
  const unsynced = new UnsyncedSnapshots({ db, directory: directories.root, openFileTree, log, ...syncing });
  let schedule: GarbageSchedule | undefined;
  const parts: NamespaceParts = {
    db,
    log,
    now,
    exchange,
    openFileTree,
    defaultSnapshotter: snapshotter,
    layouts: { overlayfs: overlayLayout, native: nativeLayout(createCopyTree({ comparer, openFileTree })) },
    files: new BlobFiles(root),
    directories,
    unsynced,
    namespaces: createLocalNamespaceStore({ db, events: exchange }),
    removed: () => schedule?.removed(),
    unpacking: { parallel: layersAtOnce, ...(layerLimits === undefined ? {} : { limits: layerLimits }) },
  };
  const opened = new Map<string, OpenedNamespace>();
  const open = (name: string): OpenedNamespace => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    checkIdentifier(name, 'namespace validation');
    const made = openNamespace(parts, name);
    opened.set(name, made);
    return made;
  };
  const collector = new GarbageCollector({
    db,
    ownNamespace: engineNamespace,
    inNamespace: (name) => open(name).collectable,
    snapshotter,
    log,
    now,
  });
  const listeners: (() => Promise<void>)[] = [];
  const collectGarbage: CollectGarbage = async (options) => {
    const collected = await collector.collect(options);
    for (const listener of listeners) await listener();
    return collected;
  };
  return {
    ...open(engineNamespace).stores,
    namespaces: parts.namespaces,
    inNamespace: (name) => open(name).stores,
    exchange,
    layerLimits: { ...defaultLayerLimits, ...layerLimits },
    comparer,
    collectGarbage,
    onCollected: (listener) => void listeners.push(listener),
    collectWhenRemoved() {
      schedule = new GarbageSchedule({ collect: collectGarbage, log });
      return schedule;
    },
    restore: async () => {
      const lost = unsynced.lost();
      // They would not be known from good ones.
      for (const { id } of lost) await directories.remove(id);
      for (const [namespace, snapshots] of Map.groupBy(lost, ({ namespace }) => namespace))
        await restoreSnapshots({ ...open(namespace).stores, lost: snapshots.map(({ key }) => key), log });
    },
    flush: () => db.checkpoint(),
    [Symbol.dispose]: () => {
      unsynced[Symbol.dispose]();
      db[Symbol.dispose]();
    },
  };
}

/** What all namespaces of a data root share. */
interface NamespaceParts {
  readonly db: MetadataDatabase;
  readonly log: Logger;
  readonly now: () => Date;
  readonly exchange: EventExchange;
  readonly openFileTree: OpenFileTree;
  readonly defaultSnapshotter: SnapshotterName;
  readonly layouts: Readonly<Record<SnapshotterName, SnapshotLayout>>;
  readonly files: BlobFiles;
  readonly directories: SnapshotDirectories;
  readonly unsynced: UnsyncedSnapshots;
  readonly namespaces: ReturnType<typeof createLocalNamespaceStore>;
  readonly removed: () => void;
  readonly unpacking: { readonly parallel: number | undefined; readonly limits?: Partial<LayerLimits> };
}

interface OpenedNamespace {
  readonly stores: LocalNamespace;
  readonly collectable: ReturnType<ConstructorParameters<typeof GarbageCollector>[0]['inNamespace']>;
}

function openNamespace(parts: NamespaceParts, namespace: string): OpenedNamespace {
  const { db, log, now, exchange, openFileTree, directories, unsynced, files } = parts;
  const events = exchange.in(namespace);
  const scope: LocalScope = { db, namespace, now, events, enter: () => parts.namespaces.ensure(namespace), removed: parts.removed };
  const content = new LocalContentStore({ ...scope, files, log });
  const snapshotters = new Map(
    snapshotterNames.map((name) => [name as string, new LocalSnapshotter({ ...scope, openFileTree, directories, unsynced, layout: parts.layouts[name] })]),
  );
  const snapshotter = (name: string): LocalSnapshotter => {
    const found = snapshotters.get(name);
    if (found === undefined)
      throw new StrakeError('NotFound', `snapshotter not loaded: ${name}: not found`, {
        fields: { layer: 'core', remedy: `use ${snapshotterNames.join(' or ')}` },
      });
    return found;
  };
  const snapshots = snapshotter(parts.defaultSnapshotter);
  const links = new DocumentLinks({ db, namespace, content, snapshotter: snapshots.name });
  const leases = new Leases(new KeptLeases(scope));
  const leaseStore = createLocalLeaseStore(scope);
  const unpacker = new LayerUnpacker({ snapshots, openFileTree, ...parts.unpacking });
  const images = createLocalImageStore({ ...scope, link: async (target) => void (await links.link(target)) });
  const stores: LocalNamespace = {
    namespace,
    content,
    images,
    containers: createLocalContainerStore(scope),
    sandboxes: createLocalSandboxStore(scope),
    leaseStore,
    snapshots,
    snapshotter,
    events,
    unpacker,
    leases,
    withLease(id) {
      const leased = leaseStores({ content, images, leaseStore, snapshotter }, id);
      return { ...stores, ...leased, snapshots: leased.snapshotter(snapshots.name) };
    },
  };
  return { stores, collectable: { content, snapshotter: (name) => snapshotters.get(name), links, leases, events } };
}
