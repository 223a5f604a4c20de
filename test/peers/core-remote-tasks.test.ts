/** Tasks of the real containerd, by its gRPC: the suite that our own task managers pass. */
import { afterAll, beforeAll } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../src/base/index.ts';
import { initPath } from '../../src/core/fixtures.ts';
import { openRemoteCore } from '../../src/core/remote/index.ts';
import { ToldEvents, tasksConformance } from '../../src/core/tasks/conformance.ts';
import { RemoteTaskManager } from '../../src/core/tasks/remote/index.ts';
import { DirectLauncher, readCgroupLayout } from '../../src/kernel/index.ts';
import { connectGrpc, type GrpcConnection, inNamespace } from '../../src/rpc/grpc/index.ts';
import { PeerWorld } from '../lib/peer-world.ts';

let peer: PeerWorld;
let connection: GrpcConnection;

beforeAll(async () => {
  peer = await PeerWorld.start();
  await peer.startContainerd();
  connection = connectGrpc({ kind: 'unix', path: peer.path(peer.containerdSocket) });
}, 60_000);

afterAll(async () => {
  connection.close();
  await peer[Symbol.asyncDispose]();
});

tasksConformance(
  async () => {
    const execRoot = mkdtempSync(path.join(peer.world.work, 'exec-'));
    const core = openRemoteCore({ connection, log: silentLogger });
    const { containers, events } = core.inNamespace('tasks');
    const stop = new AbortController();
    const told = new ToldEvents();
    const heard = (async () => {
      for await (const { topic, payload } of events.subscribe({ topics: ['/tasks'], signal: stop.signal })) told.add(`${topic} ${payload['containerId']}`);
    })();
    // A subscription begins when the other side has heard of it: a sign is given until it comes back.
    const sign = setInterval(() => events.publish('/tasks/oom', { containerId: 'sign' }), 20);
    await told.wait('/tasks/oom sign');
    clearInterval(sign);
    const tasks = new RemoteTaskManager({
      connection: connection.with(inNamespace('tasks')),
      containers,
      events,
      execRoot,
      runtime: { name: 'io.containerd.runc.v2', options: undefined },
      launcher: new DirectLauncher({ initPath }),
      layout: readCgroupLayout(),
      availableCapabilities: [],
      log: silentLogger,
    });
    return {
      tasks,
      events: () => told.all.filter((event) => event !== '/tasks/oom sign'),
      told: async (event) => await told.wait(event),
      [Symbol.asyncDispose]: async () => {
        for (const task of tasks.list()) {
          await task.kill(9).catch(() => undefined);
          await task.delete().catch(() => undefined);
        }
        tasks[Symbol.dispose]();
        stop.abort();
        await heard;
        rmSync(execRoot, { recursive: true });
      },
    };
  },
  {
    isRemote: true,
    isPeer: true,
  },
);
