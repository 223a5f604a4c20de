import { snapshots } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf, entryPaths } from '../wire/messages.ts';
import { applyTarget, fromWireMounts } from '../wire/mounts.ts';
import { checkSnapshotKey } from './check-snapshot-key.ts';
import type { SnapshotInfo, SnapshotKind, SnapshotMount, Snapshotter } from './snapshots.ts';

/** A snapshotter of another process on this machine, in the namespace of the connection. Its mounts name paths that are here too. */
export function createRemoteSnapshotter(connection: GrpcConnection, snapshotter: string): Snapshotter {
  const client = connection.client(snapshots.Snapshots);
  const update = async (name: string, labels: Readonly<Record<string, string>>, paths: string[]) =>
    toInfo((await client.update({ snapshotter, info: { name, labels: { ...labels } }, updateMask: { paths } })).info);
  const mounts = async (key: string) => toMount(key, (await client.mounts({ snapshotter, key })).mounts);
  return {
    name: snapshotter,
    // containerd before 2.2 has no commit onto another parent.
    unpacksApart: false,
    stat: async (key) => toInfo((await client.stat({ snapshotter, key })).info),
    prepare: async (key, parent, labels) => {
      checkSnapshotKey(key);
      return toMount(key, (await client.prepare({ snapshotter, key, parent: parent ?? '', labels: { ...labels } })).mounts);
    },
    view: async (key, parent, labels) => {
      checkSnapshotKey(key);
      return toMount(key, (await client.view({ snapshotter, key, parent: parent ?? '', labels: { ...labels } })).mounts);
    },
    mounts,
    async commit(name, key, { labels, parent } = {}) {
      if (parent !== undefined)
        throw new StrakeError('Unimplemented', `snapshot ${key}: a parent cannot be given at the commit`, { fields: { layer: 'core', snapshot: key } });
      await client.commit({ snapshotter, name, key, labels: { ...(labels ?? (await this.stat(key)).labels) } });
    },
    async usage(key) {
      const { size, inodes } = await client.usage({ snapshotter, key });
      return { sizeBytes: Number(size), inodes: Number(inodes) };
    },
    setLabels: async (key, labels) => await update(key, labels, ['labels']),
    mergeLabels: async (key, labels) => await update(key, labels, entryPaths('labels', labels)),
    remove: async (key) => {
      await client.remove({ snapshotter, key });
    },
    async *walk(filters = []) {
      for await (const { info } of client.list({ snapshotter, filters: [...filters] })) yield* info.map(toInfo);
    },
    cleanup: async () => {
      await client.cleanup({ snapshotter });
    },
    async unpackTarget(key) {
      return applyTarget(await mounts(key));
    },
  };
}

function toMount(key: string, mounts: snapshots.MountsResponse['mounts']): SnapshotMount {
  const mount = fromWireMounts(mounts);
  if (mount === undefined) throw new StrakeError('Internal', `snapshot ${key} has no mounts`, { fields: { layer: 'core', snapshot: key } });
  return mount;
}

const kinds: Readonly<Record<snapshots.Kind, SnapshotKind | undefined>> = {
  [snapshots.Kind.UNKNOWN]: undefined,
  [snapshots.Kind.VIEW]: 'view',
  [snapshots.Kind.ACTIVE]: 'active',
  [snapshots.Kind.COMMITTED]: 'committed',
};

function toInfo(message: snapshots.Info | undefined): SnapshotInfo {
  const { name, parent, kind, labels, createdAt, updatedAt } = answered(message, 'snapshot');
  return {
    key: name,
    parent: parent === '' ? undefined : parent,
    kind: answered(kinds[kind], 'kind'),
    labels,
    createdAt: dateOf(createdAt),
    updatedAt: dateOf(updatedAt),
  };
}
