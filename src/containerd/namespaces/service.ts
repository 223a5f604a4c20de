import { namespaces } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { NamespaceRecord, NamespaceStore } from '../../core/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';

export function namespacesService(store: NamespaceStore): GrpcService {
  return grpcService(namespaces.Namespaces, {
    get: async ({ name }) => ({ namespace: await store.get(name) }),
    // The filter is one that containerd reads nowhere.
    list: async () => ({ namespaces: [...(await store.list())] }),
    create: async ({ namespace }) => ({ namespace: await store.create(required(namespace)) }),
    update: async ({ namespace, updateMask }) => {
      const { name, labels } = required(namespace);
      const paths = updateMask?.paths ?? [];
      if (paths.length === 0) return { namespace: await store.setLabels(name, labels) };
      return { namespace: await label(store, name, maskedLabels(labels, paths)) };
    },
    delete: async ({ name }) => {
      await store.delete(name);
      return {};
    },
  });
}

/** A label makes the namespace where there is none: so it is with containerd, and clients count on it. */
async function label(store: NamespaceStore, name: string, labels: Readonly<Record<string, string>>): Promise<NamespaceRecord> {
  try {
    return await store.mergeLabels(name, labels);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
    return await store.create({ name, labels: Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')) });
  }
}

function required(namespace: namespaces.Namespace | undefined): namespaces.Namespace {
  if (namespace === undefined) throw new StrakeError('InvalidArgument', 'the request names no namespace');
  return namespace;
}

/** A label that is in the mask and not in the message is taken away. */
function maskedLabels(labels: Readonly<Record<string, string>>, paths: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    paths.map((path) => {
      if (!path.startsWith('labels.')) throw new StrakeError('InvalidArgument', `cannot update ${JSON.stringify(path)} field`);
      const key = path.slice('labels.'.length);
      return [key, Object.hasOwn(labels, key) ? (labels[key] ?? '') : ''];
    }),
  );
}
