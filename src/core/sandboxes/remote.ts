import { type Sandbox, sandbox as sandboxes } from '../../api/containerd/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf, entryPaths, mapValues, toAny, toTyped } from '../wire/messages.ts';
import type { NewSandbox, SandboxRecord, SandboxStore } from './sandboxes.ts';

/** Sandboxes of another process, in the namespace of the connection. */
export function createRemoteSandboxStore(connection: GrpcConnection): SandboxStore {
  const client = connection.client(sandboxes.Store);
  return {
    get: async (id) => toRecord((await client.get({ sandboxId: id })).sandbox),
    list: async (filters = []) => (await client.list({ filters: [...filters] })).list.map(toRecord).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    create: async (sandbox) => toRecord((await client.create({ sandbox: toMessage(sandbox) })).sandbox),
    async update(id, { mergeLabels, mergeExtensions, ...change }) {
      const fields = [
        ...Object.keys(change).filter((field) => change[field as keyof typeof change] !== undefined),
        ...entryPaths('labels', mergeLabels),
        ...entryPaths('extensions', mergeExtensions),
      ];
      if (fields.length === 0) return await this.get(id);
      const { labels, extensions, runtime = { name: '', options: undefined }, spec } = change;
      const sandbox = toMessage({
        id,
        labels: { ...labels, ...mergeLabels },
        extensions: { ...extensions, ...mergeExtensions },
        runtime,
        spec,
        sandboxer: '',
      });
      return toRecord((await client.update({ sandbox, fields })).sandbox);
    },
    delete: async (id) => {
      await client.delete({ sandboxId: id });
    },
  };
}

function toMessage({ id, labels, runtime, spec, sandboxer, extensions }: NewSandbox) {
  return {
    sandboxId: id,
    labels: { ...labels },
    runtime: { name: runtime.name, ...(runtime.options === undefined ? {} : { options: toAny(runtime.options) }) },
    ...(spec === undefined ? {} : { spec: toAny(spec) }),
    sandboxer,
    extensions: mapValues(extensions, toAny),
  };
}

function toRecord(message: Sandbox | undefined): SandboxRecord {
  const { sandboxId, labels, runtime, spec, sandboxer, extensions, createdAt, updatedAt } = answered(message, 'sandbox');
  return {
    id: sandboxId,
    labels,
    runtime: { name: runtime?.name ?? '', options: runtime?.options === undefined ? undefined : toTyped(runtime.options) },
    spec: spec === undefined ? undefined : toTyped(spec),
    sandboxer,
    extensions: mapValues(extensions, toTyped),
    createdAt: dateOf(createdAt),
    updatedAt: dateOf(updatedAt),
  };
}
