import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { sandbox as api, type Sandbox } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { NamespacedCore, SandboxRecord } from '../../core/index.ts';
import { specType } from '../../core/index.ts';
import { toTyped } from '../../core/wire/index.ts';
import { type GrpcService, grpcService, type HandlerContext, requireNamespace } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import type { NewRunningSandbox, RunningSandbox, SandboxHost } from './sandbox-host.ts';

/** The one controller that there is; who names none means it. */
const controller = 'shim';

type Given = Pick<NewRunningSandbox, 'runtime' | 'runtimeOptions' | 'spec'>;

/** Sandboxes that run. */
export function sandboxControllerService(open: OpenCall, host: SandboxHost): GrpcService {
  const find = async (id: string, sandboxer: string, context: HandlerContext): Promise<RunningSandbox> => {
    checkController(sandboxer);
    return await host.open(requireNamespace(context), id);
  };
  const publish = (context: HandlerContext, verb: string, fields: Readonly<Record<string, unknown>>) =>
    open(context).stores.events.publish(`/sandboxes/${verb}`, fields);
  const begin = async (id: string, given: Given, context: HandlerContext, more: Partial<NewRunningSandbox> = {}) => {
    const namespace = requireNamespace(context);
    await host.create({ namespace, id, rootfs: [], options: undefined, netnsPath: '', annotations: {}, signal: context.signal, ...given, ...more });
    publish(context, 'create', { sandboxId: id });
  };
  return grpcService(api.Controller, {
    async create({ sandboxId, rootfs, options, netnsPath, annotations, sandbox, sandboxer }, context) {
      checkController(sandboxer);
      const id = sandbox?.sandboxId || sandboxId;
      const given = sandbox === undefined ? ofRecord(await open(context).stores.sandboxes.get(id)) : ofMessage(sandbox);
      await begin(id, given, context, { rootfs, options, netnsPath, annotations });
      return { sandboxId: id };
    },
    async start({ sandboxId, sandboxer }, context) {
      checkController(sandboxer);
      // Clients before containerd 2.2 store a sandbox and start it: nobody has asked for it to be made.
      if (!host.has(requireNamespace(context), sandboxId)) await begin(sandboxId, ofRecord(await recordOf(open(context).stores, sandboxId)), context);
      const running = await find(sandboxId, sandboxer, context);
      const { pid, createdAt, spec } = await running.service.startSandbox({ sandboxId }, { signal: context.signal });
      publish(context, 'start', { sandboxId });
      const { address, version } = running;
      return { sandboxId, pid, address, version, ...(createdAt === undefined ? {} : { createdAt }), ...(spec === undefined ? {} : { spec }) };
    },
    async platform({ sandboxId, sandboxer }, context) {
      const { platform } = await (await find(sandboxId, sandboxer, context)).service.platform({ sandboxId }, { signal: context.signal });
      return platform === undefined ? {} : { platform };
    },
    async stop({ sandboxId, timeoutSecs, sandboxer }, context) {
      checkController(sandboxer);
      if (!host.has(requireNamespace(context), sandboxId)) return {};
      await goneIsFine(
        async () => await (await find(sandboxId, sandboxer, context)).service.stopSandbox({ sandboxId, timeoutSecs }, { signal: context.signal }),
      );
      return {};
    },
    async wait({ sandboxId, sandboxer }, context) {
      const { exitStatus, exitedAt } = await (await find(sandboxId, sandboxer, context)).service.waitSandbox({ sandboxId }, { signal: context.signal });
      publish(context, 'exit', { sandboxId, exitStatus, exitedAt });
      return { exitStatus, ...(exitedAt === undefined ? {} : { exitedAt }) };
    },
    async status({ sandboxId, verbose, sandboxer }, context) {
      checkController(sandboxer);
      // As containerd: what is not there has ended.
      if (!host.has(requireNamespace(context), sandboxId)) return { sandboxId, exitedAt: timestampFromDate(new Date()) };
      const { service, address, version } = await find(sandboxId, sandboxer, context);
      const { $typeName: _name, ...status } = await service.sandboxStatus({ sandboxId, verbose }, { signal: context.signal });
      return { ...status, address, version };
    },
    async shutdown({ sandboxId, sandboxer }, context) {
      checkController(sandboxer);
      const namespace = requireNamespace(context);
      // One that could not be started is to be removed all the same.
      if (!host.has(namespace, sandboxId)) await recordOf(open(context).stores, sandboxId);
      else {
        await goneIsFine(async () => await (await find(sandboxId, sandboxer, context)).service.shutdownSandbox({ sandboxId }, { signal: context.signal }));
        await host.remove(namespace, sandboxId);
      }
      return {};
    },
    async metrics({ sandboxId, sandboxer }, context) {
      const { metrics } = await (await find(sandboxId, sandboxer, context)).service.sandboxMetrics({ sandboxId }, { signal: context.signal });
      return metrics === undefined ? {} : { metrics };
    },
    // As containerd's: of what a shim is asked for nothing can change.
    update({ sandboxer }) {
      checkController(sandboxer);
      return {};
    },
  });
}

function checkController(name: string): void {
  if (name !== '' && name !== controller)
    throw new StrakeError('NotFound', `failed to get sandbox controller by ${name}`, {
      fields: { layer: 'containerd', remedy: `name ${controller}, or none` },
    });
}

async function recordOf({ sandboxes }: Pick<NamespacedCore, 'sandboxes'>, id: string): Promise<SandboxRecord> {
  try {
    return await sandboxes.get(id);
  } catch (cause) {
    if (!isCode(cause, 'NotFound')) throw cause;
    throw new StrakeError('NotFound', `unable to find sandbox ${JSON.stringify(id)}`, { cause, fields: { layer: 'containerd' } });
  }
}

function ofRecord({ runtime, spec }: Pick<SandboxRecord, 'runtime' | 'spec'>): Given {
  return { runtime: runtime.name, runtimeOptions: runtime.options, spec: spec?.typeUrl === specType ? spec.value : undefined };
}

function ofMessage({ runtime, spec }: Sandbox): Given {
  const options = runtime?.options === undefined ? undefined : toTyped(runtime.options);
  return ofRecord({ runtime: { name: runtime?.name ?? '', options }, spec: spec === undefined ? undefined : toTyped(spec) });
}

async function goneIsFine(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCode(error, 'NotFound') && !isCode(error, 'Unavailable')) throw error;
  }
}
