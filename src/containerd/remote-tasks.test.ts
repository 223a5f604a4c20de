/** Tasks over our own gRPC: the suite that the task managers in process pass. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../base/index.ts';
import { initPath, openTestCore, openTestTree } from '../core/fixtures.ts';
import { openRemoteTasks } from '../core/remote/fixtures-tasks.ts';
import { tasksConformance } from '../core/tasks/conformance.ts';
import { ZygoteLauncher } from '../kernel/index.ts';
import { connectGrpc, serveGrpc } from '../rpc/grpc/index.ts';
import { Activations } from './mounts/activations.ts';
import { InProcessSandboxes } from './sandbox/in-process.ts';
import { containerdServices } from './services.ts';
import { InProcessTasks } from './tasks/in-process.ts';

tasksConformance(
  async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'strake-remote-'));
    const core = openTestCore();
    const launcher = new ZygoteLauncher({ initPath, socketPath: path.join(directory, 'zygote.sock') });
    const inProcess = new InProcessTasks({
      version: '',
      directory: path.join(directory, 'namespaces'),
      launcher,
      events: (namespace) => core.inNamespace(namespace).events,
      log: silentLogger,
    });
    const socket = path.join(directory, 'containerd.sock');
    const services = containerdServices({
      core,
      tasks: inProcess,
      sandboxes: new InProcessSandboxes({ directory: path.join(directory, 'sandboxes'), launcher, log: silentLogger }),
      mounts: new Activations({ directory: path.join(directory, 'mounts'), launcher, log: silentLogger }),
      temporary: path.join(directory, 'temporary'),
      log: silentLogger,
      root: core.root,
      openFileTree: openTestTree,
      version: '0',
      revision: '0',
    });
    const server = await serveGrpc({ hosts: [{ kind: 'unix', path: socket, groupId: 0 }], services, log: silentLogger });
    const connection = connectGrpc({ kind: 'unix', path: socket });
    const source = core.inNamespace('tasks').events;
    const place = openRemoteTasks({ connection, runtimeName: 'io.containerd.strake.v2', source, launcher, execRoot: directory });
    return {
      ...place,
      [Symbol.asyncDispose]: async () => {
        await place[Symbol.asyncDispose]();
        connection.close();
        await server.close(0);
        await launcher[Symbol.asyncDispose]();
        core[Symbol.dispose]();
        rmSync(directory, { recursive: true });
      },
    };
  },
  { isRemote: true },
);
