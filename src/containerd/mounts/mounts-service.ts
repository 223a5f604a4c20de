import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ActivationInfoSchema, mounts } from '../../api/containerd/index.ts';
import { type GrpcService, grpcService, leaseOf, requireNamespace } from '../../rpc/grpc/index.ts';
import { readMask, required, timestampOf } from '../messages.ts';
import type { Activation, Activations } from './activations.ts';

export function mountsService(activations: Activations): GrpcService {
  return grpcService(mounts.Mounts, {
    async activate({ name, mounts: given, labels, temporary }, context) {
      const lease = leaseOf(context);
      const wanted = { namespace: requireNamespace(context), name, labels, ...(lease === undefined ? {} : { lease }) };
      const plain = given.map(({ type, source, target, options }) => ({ type, source, target, options }));
      return { info: toWire(await activations.activate(wanted, plain, temporary)) };
    },
    async deactivate({ name }, context) {
      await activations.deactivate(requireNamespace(context), name);
      return {};
    },
    info: ({ name }, context) => ({ info: toWire(activations.info(requireNamespace(context), name)) }),
    update({ info, updateMask }, context) {
      const namespace = requireNamespace(context);
      const { name, labels } = required(info, 'info');
      const mask = readMask(updateMask, `mount ${JSON.stringify(name)}`, ['labels']);
      const known = mask.has('labels') ? labels : { ...activations.info(namespace, name).labels, ...mask.entries('labels', labels, '') };
      const kept = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== ''));
      return { info: toWire(activations.setLabels(namespace, name, kept)) };
    },
    async *list({ filters }, context) {
      for (const activation of activations.list(requireNamespace(context), filters)) yield { info: toWire(activation) };
    },
  });
}

function toWire({ name, active, system, labels }: Activation): MessageInitShape<typeof ActivationInfoSchema> {
  return {
    name,
    active: active.map(({ type, source, target, options, mountPoint, mountedAtMs }) => ({
      mount: { type, source, target, options: [...options] },
      mountPoint,
      mountedAt: timestampOf(new Date(mountedAtMs)),
    })),
    system: system.map(({ options, ...mount }) => ({ ...mount, options: [...options] })),
    labels: { ...labels },
  };
}
