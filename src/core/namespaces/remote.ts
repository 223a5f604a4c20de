import { namespaces } from '../../api/containerd/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, entryPaths } from '../wire/messages.ts';
import type { NamespaceRecord, NamespaceStore } from './namespaces.ts';

/** Namespaces of another process. */
export function createRemoteNamespaceStore(connection: GrpcConnection): NamespaceStore {
  const client = connection.client(namespaces.Namespaces);
  const get = async (name: string) => toRecord((await client.get({ name })).namespace);
  /** The answer of containerd 2.1 is empty. */
  const update = async (name: string, labels: Readonly<Record<string, string>>, paths?: string[]) => {
    await client.update({ namespace: { name, labels: { ...labels } }, ...(paths === undefined ? {} : { updateMask: { paths } }) });
    return await get(name);
  };
  return {
    get,
    list: async () => (await client.list({})).namespaces.map(toRecord).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    create: async ({ name, labels }) => toRecord((await client.create({ namespace: { name, labels: { ...labels } } })).namespace),
    setLabels: async (name, labels) => await update(name, labels),
    mergeLabels: async (name, labels) => await update(name, labels, entryPaths('labels', labels)),
    delete: async (name) => {
      await client.delete({ name });
    },
  };
}

function toRecord(message: namespaces.Namespace | undefined): NamespaceRecord {
  const { name, labels } = answered(message, 'namespace');
  return { name, labels };
}
