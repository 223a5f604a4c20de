import type { MessageInitShape } from '@bufbuild/protobuf';
import { leases } from '../../api/containerd/index.ts';
import type { CollectGarbage, LeaseRecord, LeaseResource } from '../../core/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import { required, timestampOf } from '../messages.ts';

export function leasesService(open: OpenCall, collectGarbage: CollectGarbage): GrpcService {
  return grpcService(leases.Leases, {
    async create({ id, labels }, context) {
      return { lease: toWire(await open(context).stores.leaseStore.create({ ...(id === '' ? {} : { id }), labels })) };
    },
    async delete({ id, sync }, context) {
      await open(context).stores.leaseStore.delete(id);
      if (sync) await collectGarbage();
      return {};
    },
    async list({ filters }, context) {
      return { leases: (await open(context).stores.leaseStore.list(filters)).map(toWire) };
    },
    async addResource({ id, resource }, context) {
      await open(context).stores.leaseStore.addResource(id, fromWire(resource));
      return {};
    },
    async deleteResource({ id, resource }, context) {
      await open(context).stores.leaseStore.deleteResource(id, fromWire(resource));
      return {};
    },
    async listResources({ id }, context) {
      return { resources: (await open(context).stores.leaseStore.resources(id)).map(({ type, id: resource }) => ({ type, id: resource })) };
    },
  });
}

/** The store refuses a type that is none. */
function fromWire(resource: leases.Resource | undefined): LeaseResource {
  const { type, id } = required(resource, 'resource');
  return { type: type as LeaseResource['type'], id };
}

function toWire({ id, createdAt, labels }: LeaseRecord): MessageInitShape<typeof leases.LeaseSchema> {
  return { id, createdAt: timestampOf(createdAt), labels: { ...labels } };
}
