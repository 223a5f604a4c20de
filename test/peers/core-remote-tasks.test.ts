/** Tasks of the real containerd, by its gRPC: the suite that our own task managers pass. */
import { afterAll, beforeAll } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { initPath } from '../../src/core/fixtures.ts';
import { openRemoteTasks } from '../../src/core/remote/fixtures-tasks.ts';
import { tasksConformance } from '../../src/core/tasks/conformance.ts';
import { DirectLauncher } from '../../src/kernel/index.ts';
import { connectGrpc, type GrpcConnection } from '../../src/rpc/grpc/index.ts';
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
    const place = openRemoteTasks({ connection, runtimeName: 'io.containerd.runc.v2', launcher: new DirectLauncher({ initPath }), execRoot });
    // A subscription begins when the other side has heard of it: a sign is given until it comes back.
    const sign = setInterval(() => place.bus.publish('/tasks/oom', { containerId: 'sign' }), 20);
    await place.told('/tasks/oom sign');
    clearInterval(sign);
    return {
      ...place,
      events: () => place.events().filter((event) => event !== '/tasks/oom sign'),
      [Symbol.asyncDispose]: async () => {
        await place[Symbol.asyncDispose]();
        rmSync(execRoot, { recursive: true });
      },
    };
  },
  {
    isRemote: true,
    isPeer: true,
  },
);
