import type { MessageInitShape } from '@bufbuild/protobuf';
import { containers } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { ContainerRecord, ContainerStore } from '../../core/index.ts';
import { mapValues, toTyped } from '../../core/wire/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import { emptyValue } from '../any.ts';
import type { OpenCall } from '../call.ts';
import { readMask, required, timestampOf, typedMap } from '../messages.ts';

/** What can change; everything else of a container is as it was created. */
const changeable = ['labels', 'spec', 'extensions', 'image', 'snapshotkey'];

export function containersService(open: OpenCall): GrpcService {
  return grpcService(containers.Containers, {
    async get({ id }, context) {
      return { container: toWire(await open(context).stores.containers.get(id)) };
    },
    async list({ filters }, context) {
      return { containers: (await open(context).stores.containers.list(filters)).map(toWire) };
    },
    async *listStream({ filters }, context) {
      for (const record of await open(context).stores.containers.list(filters)) yield { container: toWire(record) };
    },
    async create({ container }, context) {
      const { id, labels, image, runtime, spec, snapshotter, snapshotKey, extensions, sandbox } = required(container, 'container');
      const created = await open(context).stores.containers.create({
        id,
        labels,
        image,
        runtime: { name: runtime?.name ?? '', options: runtime?.options === undefined ? undefined : toTyped(runtime.options) },
        spec: toTyped(required(spec, 'container.Spec')),
        snapshotter,
        snapshotKey,
        sandboxId: sandbox,
        extensions: typedMap(extensions),
      });
      return { container: toWire(created) };
    },
    async update({ container, updateMask }, context) {
      const given = required(container, 'container');
      const { stores } = open(context);
      if (given.id === '') throw invalid('Container.ID required');
      const mask = readMask(updateMask, JSON.stringify(given.id), changeable, ['labels', 'extensions']);
      if (updateMask === undefined || updateMask.paths.length === 0) await checkUnchanged(stores.containers, given);
      const { labels, image, spec, snapshotKey, extensions } = given;
      const mergeLabels = mask.entries('labels', labels, '');
      const mergeExtensions = mask.entries('extensions', typedMap(extensions), emptyValue);
      const updated = await stores.containers.update(given.id, {
        ...(mask.has('labels') ? { labels } : {}),
        ...(mask.has('image') ? { image } : {}),
        ...(mask.has('spec') ? { spec: toTyped(required(spec, 'container.Spec')) } : {}),
        ...(mask.has('snapshotkey') ? { snapshotKey } : {}),
        ...(mask.has('extensions') ? { extensions: typedMap(extensions) } : {}),
        ...(mergeLabels === undefined ? {} : { mergeLabels }),
        ...(mergeExtensions === undefined ? {} : { mergeExtensions }),
      });
      return { container: toWire(updated) };
    },
    async delete({ id }, context) {
      await open(context).stores.containers.delete(id);
      return {};
    },
  });
}

/** Who replaces the whole record must know what cannot change. */
async function checkUnchanged(store: ContainerStore, given: containers.Container): Promise<void> {
  const { snapshotter, runtime } = await store.get(given.id);
  if (snapshotter !== given.snapshotter) throw invalid('container.Snapshotter field is immutable');
  if (runtime.name !== (given.runtime?.name ?? '')) throw invalid('container.Runtime.Name field is immutable');
}

function toWire(record: ContainerRecord): MessageInitShape<typeof containers.ContainerSchema> {
  const { id, labels, image, runtime, spec, snapshotter, snapshotKey, extensions, sandboxId, createdAt, updatedAt } = record;
  return {
    id,
    labels: { ...labels },
    image,
    runtime: { name: runtime.name, ...(runtime.options === undefined ? {} : { options: runtime.options }) },
    spec,
    snapshotter,
    snapshotKey,
    createdAt: timestampOf(createdAt),
    updatedAt: timestampOf(updatedAt),
    extensions: mapValues(extensions, (value) => value),
    sandbox: sandboxId,
  };
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
