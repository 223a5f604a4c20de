import { containers } from '../../api/containerd/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf, entryPaths, mapValues, toAny, toTyped } from '../wire/messages.ts';
import type { ContainerChange, ContainerRecord, ContainerStore, NewContainer } from './containers.ts';

/** Containers of another process, in the namespace of the connection. */
export function createRemoteContainerStore(connection: GrpcConnection): ContainerStore {
  const client = connection.client(containers.Containers);
  return {
    get: async (id) => toRecord((await client.get({ id })).container),
    // One message each: all of them together may be more than one message holds.
    list: async (filters = []) =>
      (await Array.fromAsync(client.listStream({ filters: [...filters] }), ({ container }) => toRecord(container))).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    create: async (container) => toRecord((await client.create({ container: toMessage(container) })).container),
    async update(id, change) {
      const { mergeLabels, mergeExtensions, ...fields } = change;
      const paths = pathsOf(change);
      if (paths.length === 0) return await this.get(id);
      const { labels, extensions, spec, ...others } = fields;
      const container = {
        id,
        ...others,
        ...(spec === undefined ? {} : { spec: toAny(spec) }),
        labels: { ...labels, ...mergeLabels },
        extensions: mapValues({ ...extensions, ...mergeExtensions }, toAny),
      };
      return toRecord((await client.update({ container, updateMask: { paths } })).container);
    },
    delete: async (id) => {
      await client.delete({ id });
    },
  };
}

/** containerd's names of the fields. */
function pathsOf({ labels, image, spec, snapshotKey, extensions, mergeLabels, mergeExtensions }: ContainerChange): string[] {
  return [
    ...(labels === undefined ? [] : ['labels']),
    ...(image === undefined ? [] : ['image']),
    ...(spec === undefined ? [] : ['spec']),
    ...(snapshotKey === undefined ? [] : ['snapshotkey']),
    ...(extensions === undefined ? [] : ['extensions']),
    ...entryPaths('labels', mergeLabels),
    ...entryPaths('extensions', mergeExtensions),
  ];
}

function toMessage({ id, labels, image, runtime, spec, snapshotter, snapshotKey, sandboxId, extensions }: NewContainer) {
  return {
    id,
    labels: { ...labels },
    image,
    runtime: { name: runtime.name, ...(runtime.options === undefined ? {} : { options: toAny(runtime.options) }) },
    ...(spec.typeUrl === '' ? {} : { spec: toAny(spec) }),
    snapshotter,
    snapshotKey,
    sandbox: sandboxId,
    extensions: mapValues(extensions, toAny),
  };
}

function toRecord(message: containers.Container | undefined): ContainerRecord {
  const { id, labels, image, runtime, spec, snapshotter, snapshotKey, sandbox, extensions, createdAt, updatedAt } = answered(message, 'container');
  return {
    id,
    labels,
    image,
    runtime: { name: runtime?.name ?? '', options: runtime?.options === undefined ? undefined : toTyped(runtime.options) },
    spec: spec === undefined ? { typeUrl: '', value: new Uint8Array() } : toTyped(spec),
    snapshotter,
    snapshotKey,
    sandboxId: sandbox,
    extensions: mapValues(extensions, toTyped),
    createdAt: dateOf(createdAt),
    updatedAt: dateOf(updatedAt),
  };
}
