// What the tests of tasks over gRPC share, on our own containerd and on the real one.
import { silentLogger } from '../../base/index.ts';
import { readCgroupLayout } from '../../kernel/index.ts';
import { type GrpcConnection, inNamespace } from '../../rpc/grpc/index.ts';
import type { EventBus } from '../events/events.ts';
import { type TaskPlace, ToldEvents } from '../tasks/conformance.ts';
import { RemoteTaskManager, type RemoteTaskManagerOptions } from '../tasks/remote/index.ts';
import { openRemoteCore } from './remote-core.ts';

export interface RemoteTasksOptions extends Pick<RemoteTaskManagerOptions, 'launcher' | 'execRoot'> {
  readonly connection: GrpcConnection;
  readonly runtimeName: string;
  /** Where the events of the namespace `tasks` are heard; by the connection when it is not said. */
  readonly source?: Pick<EventBus, 'subscribe'>;
}

export interface RemoteTasks extends TaskPlace {
  readonly told: (event: string) => Promise<void>;
  /** By the connection. */
  readonly bus: EventBus;
}

/** A task manager on the daemon of `connection`, in the namespace `tasks`; its tasks end with it. */
export function openRemoteTasks({ connection, runtimeName, source, launcher, execRoot }: RemoteTasksOptions): RemoteTasks {
  const { containers, events } = openRemoteCore({ connection, log: silentLogger }).inNamespace('tasks');
  const stop = new AbortController();
  const told = new ToldEvents();
  const heard = (async () => {
    for await (const { topic, payload } of (source ?? events).subscribe({ topics: ['/tasks'], signal: stop.signal }))
      told.add(`${topic} ${payload['containerId']}`);
  })();
  const tasks = new RemoteTaskManager({
    connection: connection.with(inNamespace('tasks')),
    containers,
    events,
    execRoot,
    runtime: { name: runtimeName, options: undefined },
    launcher,
    layout: readCgroupLayout(),
    availableCapabilities: [],
    log: silentLogger,
  });
  return {
    tasks,
    bus: events,
    events: () => told.all,
    told: async (event) => await told.wait(event),
    [Symbol.asyncDispose]: async () => {
      for (const task of tasks.list()) {
        await task.kill(9).catch(() => undefined);
        await task.delete().catch(() => undefined);
      }
      tasks[Symbol.dispose]();
      stop.abort();
      await heard;
    },
  };
}
