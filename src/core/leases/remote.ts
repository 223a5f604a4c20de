import { leases } from '../../api/containerd/index.ts';
import { randomId } from '../../base/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf } from '../wire/messages.ts';
import { checkLeaseId } from './check-lease-id.ts';
import type { LeaseRecord, LeaseResource, LeaseStore } from './leases.ts';

/** Leases of another process, in the namespace of the connection. */
export function createRemoteLeaseStore(connection: GrpcConnection): LeaseStore {
  const client = connection.client(leases.Leases);
  return {
    create: async ({ id = randomId(), labels } = {}) => {
      checkLeaseId(id);
      return toRecord((await client.create({ id, labels: { ...labels } })).lease);
    },
    delete: async (id) => {
      await client.delete({ id });
    },
    list: async (filters = []) => (await client.list({ filters: [...filters] })).leases.map(toRecord),
    addResource: async (id, resource) => {
      await client.addResource({ id, resource });
    },
    deleteResource: async (id, resource) => {
      await client.deleteResource({ id, resource });
    },
    resources: async (id) =>
      (await client.listResources({ id })).resources
        .map((resource) => ({ type: resource.type as LeaseResource['type'], id: resource.id }))
        .toSorted((a, b) => (`${a.type} ${a.id}` < `${b.type} ${b.id}` ? -1 : 1)),
  };
}

function toRecord(message: leases.Lease | undefined): LeaseRecord {
  const { id, createdAt, labels } = answered(message, 'lease');
  return { id, createdAt: dateOf(createdAt), labels };
}
