import type { MessageInitShape } from '@bufbuild/protobuf';
import { snapshots } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { SnapshotInfo, SnapshotKind, Snapshotter } from '../../core/index.ts';
import { toWireMounts } from '../../core/wire/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { Call, OpenCall } from '../call.ts';
import { inBlocks, readMask, required, timestampOf } from '../messages.ts';

/** Names the committed snapshot that a client prepares this one for: when it is there, nothing needs to be prepared. */
const targetLabel = 'containerd.io/snapshot.ref';

export function snapshotsService(open: OpenCall): GrpcService {
  return grpcService(snapshots.Snapshots, {
    async prepare({ snapshotter, key, parent, labels }, context) {
      const store = named(open(context), snapshotter);
      await checkTarget(store, labels);
      return { mounts: [...toWireMounts(await store.prepare(key, parent === '' ? undefined : parent, labels))] };
    },
    async view({ snapshotter, key, parent, labels }, context) {
      const store = named(open(context), snapshotter);
      await checkTarget(store, labels);
      return { mounts: [...toWireMounts(await store.view(key, parent === '' ? undefined : parent, labels))] };
    },
    async mounts({ snapshotter, key }, context) {
      return { mounts: [...toWireMounts(await named(open(context), snapshotter).mounts(key))] };
    },
    async commit({ snapshotter, name, key, labels }, context) {
      await named(open(context), snapshotter).commit(name, key, { labels });
      return {};
    },
    async remove({ snapshotter, key }, context) {
      await named(open(context), snapshotter).remove(key);
      return {};
    },
    async stat({ snapshotter, key }, context) {
      return { info: toWire(await named(open(context), snapshotter).stat(key)) };
    },
    async update({ snapshotter, info, updateMask }, context) {
      const store = named(open(context), snapshotter);
      const { name, labels } = required(info, 'info');
      const mask = readMask(updateMask, `snapshot ${JSON.stringify(name)}`, ['labels']);
      const entries = mask.entries('labels', labels, '');
      let updated = mask.has('labels') ? await store.setLabels(name, labels) : undefined;
      if (entries !== undefined || updated === undefined) updated = await store.mergeLabels(name, entries ?? {});
      return { info: toWire(updated) };
    },
    async *list({ snapshotter, filters }, context) {
      for await (const block of inBlocks(named(open(context), snapshotter).walk(filters))) yield { info: block.map(toWire) };
    },
    async usage({ snapshotter, key }, context) {
      const { sizeBytes, inodes } = await named(open(context), snapshotter).usage(key);
      return { size: BigInt(sizeBytes), inodes: BigInt(inodes) };
    },
    async cleanup({ snapshotter }, context) {
      await named(open(context), snapshotter).cleanup();
      return {};
    },
  });
}

function named({ stores }: Call, name: string): Snapshotter {
  if (name === '') throw invalid('snapshotter argument missing');
  try {
    return stores.snapshotter(name);
  } catch (cause) {
    throw isCode(cause, 'NotFound') ? invalid(`snapshotter not loaded: ${name}`) : cause;
  }
}

/** AlreadyExists when what the snapshot is prepared for is there. */
async function checkTarget(store: Snapshotter, labels: Readonly<Record<string, string>>): Promise<void> {
  const target = labels[targetLabel] ?? '';
  if (target === '' || !(await isThere(store, target))) return;
  throw new StrakeError('AlreadyExists', `target snapshot ${JSON.stringify(target)}: already exists`, { fields: { layer: 'containerd' } });
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}

async function isThere(store: Snapshotter, key: string): Promise<boolean> {
  try {
    await store.stat(key);
    return true;
  } catch (error) {
    // One that is damaged is healed by being made again.
    if (isCode(error, 'NotFound') || isCode(error, 'DataLoss')) return false;
    throw error;
  }
}

const kinds: Readonly<Record<SnapshotKind, snapshots.Kind>> = {
  view: snapshots.Kind.VIEW,
  active: snapshots.Kind.ACTIVE,
  committed: snapshots.Kind.COMMITTED,
};

function toWire({ key, parent, kind, createdAt, updatedAt, labels }: SnapshotInfo): MessageInitShape<typeof snapshots.InfoSchema> {
  return {
    name: key,
    parent: parent ?? '',
    kind: kinds[kind],
    createdAt: timestampOf(createdAt),
    updatedAt: timestampOf(updatedAt),
    labels: { ...labels },
  };
}
