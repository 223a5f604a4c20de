export type { ExtractOptions } from './archive/extract.ts';
export { extractArchive } from './archive/extract.ts';
export { overwriteError } from './archive/overwriting.ts';
export type { ContainerChange, ContainerRecord, ContainerStore, NewContainer, RuntimeChoice } from './containers/containers.ts';
export { specType } from './containers/containers.ts';
export type { BlobInfo, ContentStore, ContentWriter, IngestStatus, WriterOptions } from './content/content.ts';
export { findBlob, holdsBlob } from './content/find-blob.ts';
export type { Core, NamespacedCore } from './core.ts';
export { applyLayer } from './diff/apply.ts';
export type { ArchiveOptions } from './diff/archive-tree.ts';
export { archiveTree } from './diff/archive-tree.ts';
export { compress } from './diff/compress.ts';
export type {
  AppliedLayer,
  ApplyOptions,
  Change,
  CompareOptions,
  Comparer,
  FileFacts,
  FileSink,
  FileTree,
  LayerCompression,
  LayerLimits,
  OpenFileTree,
} from './diff/diff.ts';
export { defaultLayerLimits } from './diff/diff.ts';
export { createOpenFileTree } from './diff/file-tree.ts';
export { encodeEntry, endOfArchive, paddingOf } from './diff/tar/encode.ts';
export type { EntryKind, TarEntry } from './diff/tar/entry.ts';
export type { TarHandler, TarLimits } from './diff/tar/reader.ts';
export { TarReader } from './diff/tar/reader.ts';
export type { TarFile } from './diff/tar/writer.ts';
export { writeTar } from './diff/tar/writer.ts';
export type { EngineStores } from './engine-stores.ts';
export type { EventBus, EventExchange, EventFields, StrakeEvent } from './events/events.ts';
export { createLocalEventBus } from './events/local/event-bus.ts';
export { checkTopic, messageOf } from './events/topics.ts';
export type { CollectGarbage, GarbageOptions, GarbageReport } from './garbage/collector.ts';
export type { Lease } from './garbage/leases.ts';
export { Leases } from './garbage/leases.ts';
export type { ArchivedImage } from './image-archive/archive.ts';
export { loadArchive } from './image-archive/load-archive.ts';
export { saveArchive } from './image-archive/save-archive.ts';
export { composeImage } from './images/compose-image.ts';
export type { ImageFacts, ImageLayer } from './images/image-facts.ts';
export { readImageFacts } from './images/image-facts.ts';
export type { ImageChange, ImageRecord, ImageStore } from './images/images.ts';
export type { ImportImage, ImportTarget } from './images/import-image.ts';
export { importImage } from './images/import-image.ts';
export { earlierVersions, movedOn } from './images/name-history.ts';
export { packImage } from './images/pack-image.ts';
export { putBlob } from './images/put-blob.ts';
export type { StoredLayer } from './images/put-layer.ts';
export { putLayer } from './images/put-layer.ts';
export type { ResolvedImage } from './images/resolve-image.ts';
export { checkLayers, chooseManifest, documentLimitBytes, resolveImage } from './images/resolve-image.ts';
export type { LeaseRecord, LeaseResource, LeaseStore } from './leases/leases.ts';
export type { LocalCore, LocalCoreOptions, LocalNamespace } from './local-core.ts';
export { engineNamespace, openLocalContent, openLocalCore } from './local-core.ts';
export type { Row } from './metadata/index.ts';
export { MetadataDatabase, numberOf, textOf, timeOf } from './metadata/index.ts';
export type { NamespaceRecord, NamespaceStore } from './namespaces/namespaces.ts';
export { capabilitySets, chooseCapabilities, normaliseCapabilities } from './privileges/capabilities.ts';
export { defaultDeviceRules, deviceAt, deviceNumbers, hostDevices } from './privileges/devices.ts';
export { createLocalNamespaceKeeper } from './sandboxes/local/namespace-keeper.ts';
export type { KeptNamespaces, KeptType, NamespaceKeeper, NewType } from './sandboxes/namespace-keeper.ts';
export type { NewSandbox, SandboxChange, SandboxRecord, SandboxStore } from './sandboxes/sandboxes.ts';
export type { SnapshotterName } from './snapshots/local/check-snapshotter.ts';
export type { HostMounts } from './snapshots/local/host-mounts.ts';
export { createHostMounts } from './snapshots/local/host-mounts.ts';
export { pathWithin } from './snapshots/path-within.ts';
export type { SnapshotView } from './snapshots/snapshot-view.ts';
export { viewSnapshot } from './snapshots/snapshot-view.ts';
export type { CommitOptions, SnapshotInfo, SnapshotKind, SnapshotMount, Snapshotter, SnapshotUsage } from './snapshots/snapshots.ts';
export { mappingLabels } from './snapshots/snapshots.ts';
export type { TypedValue } from './typed-value.ts';
export type { LayerEvent, LayerJob } from './unpack/layer-unpacker.ts';
export { LayerUnpacker } from './unpack/layer-unpacker.ts';
export { LayersAhead } from './unpack/layers-ahead.ts';
export { unpackFromContent, unpackImage } from './unpack/unpack-image.ts';
export { parsePasswd } from './users/account-files.ts';
export { AccountReader } from './users/accounts.ts';
export type { Accounts, ResolvedUser } from './users/resolve-user.ts';
export { resolvePodUser, resolveUser } from './users/resolve-user.ts';
