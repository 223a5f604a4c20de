import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { shimTask } from '../../api/containerd/index.ts';
import { isCode, StrakeError, silentLogger } from '../../base/index.ts';
import type { CallContext } from '../../rpc/ttrpc/index.ts';
import { timestamp } from '../messages.ts';
import type { SandboxService } from '../sandbox/sandbox-service.ts';
import type { TaskService } from '../task-service.ts';
import { removeAlias } from './alias.ts';
import type { ShimFlags } from './flags.ts';
import { ShimPlace } from './place.ts';
import { openTasks } from './serve.ts';

const sigkill = 9;
const killedStatus = 128 + sigkill;
const callTimeoutMs = 20_000;
const findTimeoutMs = 30_000;

type Deleted = MessageInitShape<typeof shimTask.DeleteResponseSchema>;
type Calls = Pick<TaskService, 'kill' | 'wait' | 'delete'>;

/** Ends and removes what is left of a task that containerd lost the shim of; a DeleteResponse. One that is not there any more counts as killed now. */
export async function deleteTask(flags: ShimFlags): Promise<Uint8Array> {
  const place = ShimPlace.of(flags);
  removeAlias(flags);
  const deleted = await deleteWherever(place, flags);
  return toBinary(shimTask.DeleteResponseSchema, create(shimTask.DeleteResponseSchema, deleted));
}

/** By the shim that serves, or alone. One that has just been started has the place before it answers. */
async function deleteWherever(place: ShimPlace, flags: ShimFlags): Promise<Deleted> {
  const deadline = performance.now() + findTimeoutMs;
  while (performance.now() < deadline) {
    const deleted = (await deleteByShim(place, flags.id)) ?? (await deleteAlone(place, flags));
    if (deleted !== undefined) return deleted;
  }
  throw new StrakeError('Unavailable', `the shim of ${place.directory} neither answers nor ends`, { fields: { layer: 'shim', container: flags.id } });
}

/** By the shim that serves there now; undefined when none does. */
async function deleteByShim(place: ShimPlace, id: string): Promise<Deleted | undefined> {
  using calls = await place.connect();
  if (calls === undefined) return undefined;
  const { tasks } = calls;
  const options = { timeoutMs: callTimeoutMs };
  return await end(id, {
    kill: async (request) => await tasks.kill(request, options),
    wait: async (request) => await tasks.wait(request, options),
    delete: async (request) => await tasks.delete(request, options),
  } as Calls);
}

/** Undefined when a shim has the place. */
async function deleteAlone(place: ShimPlace, { id, namespace }: ShimFlags): Promise<Deleted | undefined> {
  using lock = await place.lockToCleanUp();
  if (lock === undefined) return undefined;
  await using tasks = openTasks(place, namespace, silentLogger, isOfExec);
  await tasks.sandboxes.recoverTask(id);
  if (tasks.sandboxes.list().length > 0) await endSandbox(id, tasks.sandboxService({ look: () => undefined }));
  await tasks.manager.recoverTask(id);
  const calls = tasks.service({ shutdown: () => undefined });
  const execs = tasks.manager.list().flatMap((task) => task.listExecs());
  const deleted = await end(id, {
    ...calls,
    // They end with it: that is told as long as they are known.
    delete: async (request, context) => {
      await Promise.all(execs.map((exec) => exec.wait(context.signal)));
      return await calls.delete(request, context);
    },
  });
  await tasks.events.flushed();
  return deleted;
}

/** How the task itself ends containerd tells, by what this command answers; of its execs it knows nothing. */
function isOfExec(topic: string, { containerId, id }: Readonly<Record<string, unknown>>): boolean {
  return topic === '/tasks/exit' && id !== containerId;
}

async function endSandbox(sandboxId: string, { shutdownSandbox }: SandboxService): Promise<void> {
  await shutdownSandbox({ $typeName: 'containerd.runtime.sandbox.v1.ShutdownSandboxRequest', sandboxId }, ownCall());
}

async function end(id: string, calls: Calls): Promise<Deleted> {
  const context = ownCall();
  try {
    await ignoreMissing(calls.kill({ $typeName: 'containerd.task.v3.KillRequest', id, execId: '', signal: sigkill, all: false }, context));
    await calls.wait({ $typeName: 'containerd.task.v3.WaitRequest', id, execId: '' }, context);
    return await calls.delete({ $typeName: 'containerd.task.v3.DeleteRequest', id, execId: '' }, context);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
    return { exitStatus: killedStatus, exitedAt: timestamp(new Date()) };
  }
}

/** Of this process, not of a client. */
function ownCall(): CallContext {
  return { signal: AbortSignal.timeout(callTimeoutMs), requestHeader: new Headers(), timeoutMs: () => undefined };
}

async function ignoreMissing(work: Promise<unknown> | unknown): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
