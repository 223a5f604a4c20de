import { existsSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { shimSandbox, shimTask, shimTaskV2 } from '../../api/containerd/index.ts';
import { createLineLogger, type Logger, StrakeError } from '../../base/index.ts';
import { LocalTaskManager, type TaskManager } from '../../core/tasks/index.ts';
import { programFile, readCgroupLayout, ZygoteLauncher } from '../../kernel/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { servedService, TtrpcServer } from '../../rpc/ttrpc/index.ts';
import { EventForwarder } from '../event-forwarder.ts';
import { createSandboxService, type SandboxService } from '../sandbox/sandbox-service.ts';
import { type PublishTaskEvent, taskEventBus } from '../task-events.ts';
import { createTaskService, type TaskNote, type TaskService } from '../task-service.ts';
import { removeAlias } from './alias.ts';
import type { ShimFlags } from './flags.ts';
import { ShimLife } from './life.ts';
import { reserveHeader, ShimPlace } from './place.ts';

const readyDescriptor = 3;
const sigkill = 9;
export const runtimeRoot = '/run/strake/runtimes';

/** Serves the tasks of a namespace until containerd needs them no more; at once when another shim does. Containers are left running by its end. */
export async function serveShim({ directory, address, namespace, debug }: ShimFlags): Promise<void> {
  const place = new ShimPlace(directory);
  using lock = await place.lockToServe();
  if (lock === undefined) return;
  const log = createLineLogger({ level: debug ? 'debug' : 'info', format: 'text', write: writeLine });
  await using tasks = openTasks(place, namespace, log);
  const { sandboxes } = tasks;
  const life = new ShimLife(() => tasks.manager.list().length + sandboxes.list().length);
  for (const manager of [tasks.manager, sandboxes]) {
    await manager.recover();
    await endForgotten(manager, log);
  }
  const service = lively(tasks.service(life), life, (id) => removeAlias({ address, namespace, id }));
  const sandboxService = lasting(tasks.sandboxService(life), life);
  await using server = new TtrpcServer({
    services: [servedService(shimTask.Task, service), servedService(shimTaskV2.Task, service as never), servedService(shimSandbox.Sandbox, sandboxService)],
    log,
  });
  await server.listen(place.socket);
  tellReady();
  life.started();
  await life.ended;
  await tasks.events.flushed();
}

/** The tasks of a place, for whoever has its lock. `tells`: which events, all unless it says so. */
export function openTasks(place: ShimPlace, namespace: string, log: Logger, tells: (...event: Parameters<PublishTaskEvent>) => boolean = () => true) {
  const launcher = new ZygoteLauncher({ initPath: programFile('strake-init'), socketPath: path.join(place.directory, 'zygote.sock') });
  const events = new EventForwarder({ address: process.env['TTRPC_ADDRESS'] ?? '', namespace, log });
  const publish: PublishTaskEvent = (topic, payload) => {
    if (tells(topic, payload)) events.publish(topic, payload);
  };
  const layout = readCgroupLayout();
  const manager = new LocalTaskManager({
    execRoot: place.directory,
    launcher,
    events: taskEventBus(publish),
    log,
    layout,
    keepsCreated: true,
  });
  const sandboxes = new LocalTaskManager({
    execRoot: path.join(place.directory, 'sandboxes'),
    launcher,
    events: taskEventBus(() => undefined),
    log,
    layout,
    keepsCreated: true,
  });
  const cgroupVersion = layout.kind === 'v2' ? 2 : 1;
  return {
    manager,
    sandboxes,
    events,
    sandboxService: (life: Pick<ShimLife, 'look'>) =>
      createSandboxService({
        namespace,
        tasks: sandboxes,
        directory: path.join(place.directory, 'sandboxes/roots'),
        pauseProgram: programFile('strake-init'),
        cgroupVersion,
        shutdown: () => life.look(),
      }),
    service: (life: Pick<ShimLife, 'shutdown'>) =>
      createTaskService({
        namespace,
        tasks: manager,
        publish,
        cgroupVersion,
        runtimeRoot,
        readSpec: async (bundle) => parseRuntimeSpec(await readFile(path.join(bundle, 'config.json'), 'utf8')),
        shutdown: (now) => life.shutdown(now),
      }),
    async [Symbol.asyncDispose]() {
      events[Symbol.dispose]();
      await launcher[Symbol.asyncDispose]();
    },
  };
}

/** Of tasks whose bundle is gone containerd knows nothing any more: it has cleaned up after the shim before this one, and gave its `delete` no time. */
async function endForgotten(manager: TaskManager, log: Logger): Promise<void> {
  for (const task of manager.list()) {
    if (existsSync((task.note as Pick<TaskNote, 'bundle'>).bundle)) continue;
    log.warn('a task that containerd has forgotten is ended', { container: task.id });
    await task.kill(sigkill).catch(() => undefined);
    await task.wait();
    await task.delete();
  }
}

/** Reservations, and who is served, for the shim's own life. */
function lively(service: TaskService, life: ShimLife, onDeleted: (id: string) => void): TaskService {
  return {
    ...service,
    create: async (request, context) => {
      try {
        return await service.create(request, context);
      } finally {
        life.arrived(request.id);
      }
    },
    connect: (request, context) => {
      if (context.requestHeader.get(reserveHeader) === null) return service.connect(request, context);
      if (!life.reserve(request.id)) throw new StrakeError('Unavailable', 'the shim is about to end', { fields: { layer: 'shim' } });
      return { shimPid: process.pid };
    },
    delete: async (request, context) => {
      try {
        const deleted = await service.delete(request, context);
        if (request.execId === '') onDeleted(request.id);
        return deleted;
      } finally {
        life.look();
      }
    },
  };
}

/** Reservations end with the creation of their sandbox. */
function lasting(service: SandboxService, life: ShimLife): SandboxService {
  return {
    ...service,
    createSandbox: async (request, context) => {
      try {
        return await service.createSandbox(request, context);
      } finally {
        life.arrived(request.sandboxId);
      }
    },
  };
}

function tellReady(): void {
  try {
    writeSync(readyDescriptor, 'ready\n');
  } catch {
    // Who started it has gone; it serves whoever comes.
  }
}

function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // containerd, or the container whose log this was, has gone.
  }
}
