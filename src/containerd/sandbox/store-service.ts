import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Sandbox, type SandboxSchema, sandbox } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { RuntimeChoice, SandboxRecord } from '../../core/index.ts';
import { mapValues, toTyped } from '../../core/wire/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import { emptyValue } from '../any.ts';
import type { OpenCall } from '../call.ts';
import { readMask, required, timestampOf, typedMap } from '../messages.ts';

const changeable = ['labels', 'extensions', 'spec', 'runtime'];

/** What is known of sandboxes. */
export function sandboxStoreService(open: OpenCall): GrpcService {
  return grpcService(sandbox.Store, {
    async create({ sandbox: given }, context) {
      const { sandboxId: id, labels, spec, sandboxer, extensions, runtime } = required(given, 'sandbox');
      const created = await open(context).stores.sandboxes.create({
        id,
        labels,
        runtime: runtimeOf(runtime),
        spec: spec === undefined ? undefined : toTyped(spec),
        sandboxer,
        extensions: typedMap(extensions),
      });
      return { sandbox: toWire(created) };
    },
    async update({ sandbox: given, fields }, context) {
      const { stores } = open(context);
      const { sandboxId: id, labels, extensions, spec, runtime } = required(given, 'sandbox');
      const mask = readMask({ $typeName: 'google.protobuf.FieldMask', paths: fields }, `sandbox ${JSON.stringify(id)}`, changeable, ['labels', 'extensions']);
      if (fields.length === 0 && (await stores.sandboxes.get(id)).runtime.name !== (runtime?.name ?? ''))
        throw new StrakeError('InvalidArgument', 'sandbox.Runtime.Name field is immutable', { fields: { layer: 'containerd' } });
      const mergeLabels = mask.entries('labels', labels, '');
      const mergeExtensions = mask.entries('extensions', typedMap(extensions), emptyValue);
      const updated = await stores.sandboxes.update(id, {
        ...(mask.has('labels') ? { labels } : {}),
        ...(mask.has('extensions') ? { extensions: typedMap(extensions) } : {}),
        ...(mask.has('runtime') ? { runtime: runtimeOf(runtime) } : {}),
        ...(mask.has('spec') ? { spec: spec === undefined ? undefined : toTyped(spec) } : {}),
        ...(mergeLabels === undefined ? {} : { mergeLabels }),
        ...(mergeExtensions === undefined ? {} : { mergeExtensions }),
      });
      return { sandbox: toWire(updated) };
    },
    async delete({ sandboxId }, context) {
      await open(context).stores.sandboxes.delete(sandboxId);
      return {};
    },
    async list({ filters }, context) {
      return { list: (await open(context).stores.sandboxes.list(filters)).map(toWire) };
    },
    async get({ sandboxId }, context) {
      return { sandbox: toWire(await open(context).stores.sandboxes.get(sandboxId)) };
    },
  });
}

function runtimeOf(runtime: Sandbox['runtime']): RuntimeChoice {
  return { name: runtime?.name ?? '', options: runtime?.options === undefined ? undefined : toTyped(runtime.options) };
}

function toWire(record: SandboxRecord): MessageInitShape<typeof SandboxSchema> {
  const { id, labels, runtime, spec, sandboxer, extensions, createdAt, updatedAt } = record;
  return {
    sandboxId: id,
    runtime: { name: runtime.name, ...(runtime.options === undefined ? {} : { options: runtime.options }) },
    ...(spec === undefined ? {} : { spec }),
    labels: { ...labels },
    createdAt: timestampOf(createdAt),
    updatedAt: timestampOf(updatedAt),
    extensions: mapValues(extensions, (value) => value),
    sandboxer,
  };
}
