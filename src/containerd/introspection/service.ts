import { statSync } from 'node:fs';
import path from 'node:path';
import { introspection, RuntimeInfoSchema, RuntimeRequestSchema } from '../../api/containerd/index.ts';
import { readIdentity, StrakeError } from '../../base/index.ts';
import { fieldsOf, parseFilters } from '../../core/filters/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import { packAny, unpackAny } from '../any.ts';
import type { TaskHost } from '../tasks/task-host.ts';
import { corePlugins, type Plugin, servicePlugins } from './plugins.ts';

export interface IntrospectionOptions {
  readonly root: string;
  /** The others that are served. */
  readonly services: readonly GrpcService[];
  readonly runtimeInfo: TaskHost['info'];
}

/** The plugin that is asked about runtimes, as containerd's is. */
const runtimes = { type: 'io.containerd.runtime.v2', id: 'task' } as const;

export function introspectionService({ root, services, runtimeInfo }: IntrospectionOptions): GrpcService {
  const uuid = readIdentity(path.join(root, 'containerd-uuid'));
  const names = [...services.map(({ description }) => description.typeName), introspection.Introspection.typeName];
  const plugins = [...corePlugins(root), ...servicePlugins(names)];
  return grpcService(introspection.Introspection, {
    plugins: ({ filters }) => {
      const matches = parseFilters(filters);
      return { plugins: plugins.filter(({ type, id }) => matches(fieldsOf({ type, id }))).map(toMessage) };
    },
    server: () => ({
      uuid,
      pid: BigInt(process.pid),
      pidns: statSync('/proc/self/ns/pid', { bigint: true }).ino,
    }),
    pluginInfo: async ({ type, id, options }, { signal }) => {
      const plugin = plugins.find((other) => other.type === type && other.id === id);
      if (plugin === undefined) throw new StrakeError('NotFound', `plugin ${type}.${id} not found`);
      if (options === undefined) return { plugin: toMessage(plugin) };
      const request = type === runtimes.type && id === runtimes.id ? unpackAny(options, RuntimeRequestSchema) : undefined;
      if (request === undefined) throw new StrakeError('Unimplemented', 'plugin does not provided extra information');
      const info = await runtimeInfo(request.runtimePath, request.options, signal);
      return { plugin: toMessage(plugin), extra: packAny(RuntimeInfoSchema, info) };
    },
  });
}

function toMessage({ type, id, requires = [], platform, exports = {}, capabilities = [] }: Plugin) {
  const platforms = platform === undefined ? [] : [hostPlatform()];
  return { type, id, requires: [...requires], platforms, exports: { ...exports }, capabilities: [...capabilities] };
}
