import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type Descriptor, type MetricSchema, runcOptions, type shimTask, tasks } from '../../api/containerd/index.ts';
import { errorMessage, isCode, type Logger, StrakeError } from '../../base/index.ts';
import { parseFilters } from '../../core/filters/index.ts';
import type { Core, OpenFileTree, TypedValue } from '../../core/index.ts';
import { type GrpcService, grpcService, type HandlerContext, leaseOf, requireNamespace } from '../../rpc/grpc/index.ts';
import type { CallOptions } from '../../rpc/ttrpc/index.ts';
import { type CheckpointPlace, loadCheckpoint, storeCheckpoint, temporaryDirectory } from './checkpoints.ts';
import type { HostedTask, TaskExit, TaskHost } from './task-host.ts';

export interface TasksServiceOptions {
  readonly core: Pick<Core, 'inNamespace'>;
  readonly tasks: TaskHost;
  readonly openFileTree: OpenFileTree;
  /** For checkpoints on their way. */
  readonly temporary: string;
  readonly log: Logger;
}

/** Of a task that does not answer: others are not to wait for it. */
const stateTimeoutMs = 2_000;

type WireProcess = NonNullable<MessageInitShape<typeof tasks.GetResponseSchema>['process']>;

/** containerd's Tasks: running containers and the processes beside them. */
export function tasksService({ core, tasks: host, openFileTree, temporary, log }: TasksServiceOptions): GrpcService {
  const taskOf = (containerId: string, context: HandlerContext): HostedTask => {
    const namespace = requireNamespace(context);
    try {
      return host.get(namespace, containerId);
    } catch (cause) {
      if (!isCode(cause, 'NotFound')) throw cause;
      throw new StrakeError('NotFound', `task ${containerId} not found`, { cause, fields: { layer: 'containerd' } });
    }
  };
  const containerOf = async (containerId: string, context: HandlerContext) => await core.inNamespace(requireNamespace(context)).containers.get(containerId);

  /** What tasks are restored from, until they are started. */
  const images = new Map<string, Disposable>();
  const forget = (containerId: string, context: HandlerContext): void => {
    const key = `${requireNamespace(context)}/${containerId}`;
    images.get(key)?.[Symbol.dispose]();
    images.delete(key);
  };

  const placeOf = (context: HandlerContext): CheckpointPlace => {
    const stores = core.inNamespace(requireNamespace(context));
    const lease = leaseOf(context);
    return { content: (lease === undefined ? stores : stores.withLease(lease)).content, openFileTree, signal: context.signal };
  };

  return grpcService(tasks.Tasks, {
    async create(request, context) {
      const { containerId, stdin, stdout, stderr, terminal, rootfs, runtimePath } = request;
      const container = await containerOf(containerId, context);
      const namespace = requireNamespace(context);
      if (isThere(host, namespace, containerId)) throw new StrakeError('AlreadyExists', `task ${containerId}`, { fields: { layer: 'containerd' } });
      const options = given(request.options) ?? container.runtime.options;
      const image = await checkpointOf(request.checkpoint, placeOf(context), temporary);
      const task = await inShimWords(
        host.create({
          namespace,
          id: containerId,
          runtime: runtimePath === '' ? container.runtime.name : runtimePath,
          spec: container.spec.value,
          options,
          rootfs,
          stdio: { stdin, stdout, stderr, terminal },
          ...(image === undefined ? {} : { checkpoint: image.path }),
          ...(container.sandboxId === '' ? {} : { sandboxId: container.sandboxId }),
          signal: context.signal,
        }),
      );
      if (image !== undefined) images.set(`${namespace}/${containerId}`, image);
      return { containerId, pid: task.pid };
    },
    async start({ containerId, execId }, context) {
      const { service } = taskOf(containerId, context);
      await service.start({ id: containerId, execId }, callOf(context));
      if (execId === '') forget(containerId, context);
      return { pid: (await service.state({ id: containerId, execId }, callOf(context))).pid };
    },
    async delete({ containerId }, context) {
      await containerOf(containerId, context);
      const exit = await taskOf(containerId, context).delete(context.signal);
      forget(containerId, context);
      return exitOf(exit);
    },
    async deleteProcess({ containerId, execId }, context) {
      const { pid, exitStatus, exitedAt } = await taskOf(containerId, context).service.delete({ id: containerId, execId }, callOf(context));
      return { id: execId, pid, exitStatus, ...(exitedAt === undefined ? {} : { exitedAt }) };
    },
    async get({ containerId, execId }, context) {
      return {
        process: processOf(
          await taskOf(containerId, context).service.state({ id: containerId, execId }, { signal: context.signal, timeoutMs: stateTimeoutMs }),
        ),
      };
    },
    async list(_request, context) {
      const states = await Promise.allSettled(
        host.list(requireNamespace(context)).map(async ({ id, service }) => await service.state({ id }, { signal: context.signal, timeoutMs: stateTimeoutMs })),
      );
      return { tasks: states.flatMap((state) => fulfilled(state, log).map(processOf)) };
    },
    async pause({ containerId }, context) {
      return await empty(taskOf(containerId, context).service.pause({ id: containerId }, callOf(context)));
    },
    async resume({ containerId }, context) {
      return await empty(taskOf(containerId, context).service.resume({ id: containerId }, callOf(context)));
    },
    async kill({ containerId, execId, signal, all }, context) {
      return await empty(taskOf(containerId, context).service.kill({ id: containerId, execId, signal, all }, callOf(context)));
    },
    async listPids({ containerId }, context) {
      const { processes } = await taskOf(containerId, context).service.pids({ id: containerId }, callOf(context));
      return { processes };
    },
    async exec({ containerId, execId, stdin, stdout, stderr, terminal, spec }, context) {
      if (execId === '') throw new StrakeError('InvalidArgument', 'exec id cannot be empty', { fields: { layer: 'containerd' } });
      const request = { id: containerId, execId, stdin, stdout, stderr, terminal, ...(spec === undefined ? {} : { spec }) };
      return await empty(taskOf(containerId, context).service.exec(request, callOf(context)));
    },
    async resizePty({ containerId, execId, width, height }, context) {
      return await empty(taskOf(containerId, context).service.resizePty({ id: containerId, execId, width, height }, callOf(context)));
    },
    async closeIO({ containerId, execId, stdin }, context) {
      return await empty(taskOf(containerId, context).service.closeIO({ id: containerId, execId, stdin }, callOf(context)));
    },
    async checkpoint({ containerId, options }, context) {
      const { spec } = await containerOf(containerId, context);
      const { service } = taskOf(containerId, context);
      const request = { id: containerId, ...(options === undefined ? {} : { options }) };
      const kept = options === undefined ? '' : imagePathOf(options);
      using directory = kept === '' ? temporaryDirectory(temporary) : undefined;
      await service.checkpoint({ ...request, path: directory?.path ?? kept }, callOf(context));
      return { descriptors: directory === undefined ? [] : [...(await storeCheckpoint(placeOf(context), directory.path, spec))] };
    },
    async update({ containerId, resources, annotations }, context) {
      const request = { id: containerId, annotations, ...(resources === undefined ? {} : { resources }) };
      return await empty(taskOf(containerId, context).service.update(request, callOf(context)));
    },
    async metrics({ filters }, context) {
      const namespace = requireNamespace(context);
      const wanted = parseFilters(filters);
      const chosen = host.list(namespace).filter(({ id }) => wanted(([field]) => (field === 'id' ? id : field === 'namespace' ? namespace : undefined)));
      const read = await Promise.allSettled(chosen.map(async (task) => await metricOf(task, context.signal)));
      return { metrics: read.flatMap((one) => fulfilled(one, log)) };
    },
    async wait({ containerId, execId }, context) {
      const { exitStatus, exitedAt } = await taskOf(containerId, context).service.wait({ id: containerId, execId }, callOf(context));
      return { exitStatus, ...(exitedAt === undefined ? {} : { exitedAt }) };
    },
  });
}

/** A caller without a deadline gets those of whoever holds the task. */
function callOf({ signal, timeoutMs }: HandlerContext): CallOptions {
  const leftMs = timeoutMs();
  return leftMs === undefined ? { signal } : { signal, timeoutMs: leftMs };
}

/** Where the caller wants the image; empty: in the content store. */
function imagePathOf({ typeUrl, value }: Any): string {
  return typeUrl.endsWith(runcOptions.CheckpointOptionsSchema.typeName) ? fromBinary(runcOptions.CheckpointOptionsSchema, value).imagePath : '';
}

/** A directory of what is to be restored: the start reads it. */
async function checkpointOf(
  checkpoint: Descriptor | undefined,
  place: CheckpointPlace,
  temporary: string,
): Promise<ReturnType<typeof temporaryDirectory> | undefined> {
  if (checkpoint === undefined) return undefined;
  const directory = temporaryDirectory(temporary);
  try {
    await loadCheckpoint(place, checkpoint, directory.path);
    return directory;
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

function isThere(host: TaskHost, namespace: string, id: string): boolean {
  try {
    host.get(namespace, id);
    return true;
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
    return false;
  }
}

/** containerd puts these words before what a shim says. */
async function inShimWords(creation: Promise<HostedTask>): Promise<HostedTask> {
  try {
    return await creation;
  } catch (error) {
    if (!(error instanceof StrakeError) || error.message.startsWith('failed to ')) throw error;
    throw new StrakeError(error.code, `failed to create shim task: ${error.message}`, { cause: error, fields: error.fields });
  }
}

function given(options: Any | undefined): TypedValue | undefined {
  return options === undefined || (options.value.length === 0 && options.typeUrl !== runcOptions.OptionsSchema.typeName) ? undefined : options;
}

function exitOf({ pid, code, at }: TaskExit) {
  return { pid, exitStatus: code, exitedAt: timestampFromDate(at) };
}

/** As containerd answers: its processes are named by their own id alone. */
function processOf({ id, execId, pid, status, stdin, stdout, stderr, terminal, exitStatus, exitedAt }: shimTask.StateResponse): WireProcess {
  return { id: execId === '' ? id : execId, pid, status, stdin, stdout, stderr, terminal, exitStatus, ...(exitedAt === undefined ? {} : { exitedAt }) };
}

async function metricOf({ id, service }: HostedTask, signal: AbortSignal): Promise<MessageInitShape<typeof MetricSchema>> {
  const timestamp = timestampFromDate(new Date());
  const { stats } = await service.stats({ id }, { signal, timeoutMs: stateTimeoutMs });
  return { timestamp, id, ...(stats === undefined ? {} : { data: stats }) };
}

/** A task that is deleted meanwhile is left out; one that fails is told to the log. */
function fulfilled<T>(one: PromiseSettledResult<T>, log: Logger): readonly T[] {
  if (one.status === 'fulfilled') return [one.value];
  if (!isCode(one.reason, 'NotFound')) log.error('a task does not answer', { error: errorMessage(one.reason) });
  return [];
}

async function empty(work: Promise<unknown>): Promise<Record<string, never>> {
  await work;
  return {};
}
