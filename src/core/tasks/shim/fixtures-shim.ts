// A shim for the tests of its manager: run by `containerd-shim-fixture-v1`, a script that the tests make. config.json says how it behaves.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack, timestampNow } from '@bufbuild/protobuf/wkt';
import { bootstrap, RuntimeInfoSchema, shimTask, shimTaskV2, taskEvents, taskTypes, ttrpcEvents } from '../../../api/containerd/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { createTtrpcClient, type ServiceImplementation, servedService, TtrpcConnection, TtrpcServer } from '../../../rpc/ttrpc/index.ts';

/** What is absent is as containerd-shim-runc-v2 has it. */
export interface FixtureShim {
  /** how `start` answers: as containerd 2.3's shims, as those of 1.7 to 2.2, as older ones, or not at all */
  readonly answer?: 'protobuf' | 'json' | 'address' | 'rubbish' | 'newer' | 'fails' | 'hangs';
  /** of the task service that is served */
  readonly version?: 2 | 3;
  readonly create?: 'fails' | 'dies';
  /** it deletes its task without a word */
  readonly isSilent?: boolean;
  /** `delete` of the executable */
  readonly delete?: 'fails';
  /** the shim of this instance, in the same namespace, takes it too */
  readonly group?: string;
}

/** Pids that the fixture says. */
export const fixturePids = { task: 4242, deleted: 2424 } as const;

const flag = (name: string) => process.argv[process.argv.indexOf(name) + 1] ?? '';
const verb = process.argv.at(-1);
const [namespace, id] = [flag('-namespace'), flag('-id')];

if (import.meta.main) await main();

async function main(): Promise<void> {
  if (verb === '-info')
    return void process.stdout.write(
      toBinary(RuntimeInfoSchema, create(RuntimeInfoSchema, { name: 'fixture', annotations: { stdin: String((await readStdin()).length) } })),
    );
  const behaviour = existsSync('config.json') ? (JSON.parse(readFileSync('config.json', 'utf8')) as FixtureShim) : {};
  if (verb === 'start') return await start(behaviour);
  if (verb === 'delete') return deleteLeftovers(behaviour);
  await serve(behaviour);
}

async function start({ answer = 'protobuf', version = 3, group = id }: FixtureShim): Promise<void> {
  writeFileSync('start-stdin', await readStdin());
  if (answer === 'fails') {
    process.stderr.write('no room\n');
    process.exit(3);
  }
  if (answer === 'hangs') return void setInterval(() => undefined, 60_000);
  const socketPath = path.resolve('..', group, 'shim.sock');
  if (answer !== 'rubbish' && !existsSync(socketPath)) {
    const child = spawn(process.execPath, [import.meta.path, '-namespace', namespace, '-id', id, 'serve'], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    });
    await new Promise((resolve) => child.once('message', resolve));
    child.disconnect();
    child.unref();
  }
  const result = { version: answer === 'newer' ? 4 : version, address: `unix://${socketPath}`, protocol: 'ttrpc' };
  if (answer === 'rubbish') process.stdout.write('rubbish');
  else if (answer === 'address') process.stdout.write(result.address);
  else if (answer === 'json') process.stdout.write(JSON.stringify(result));
  else process.stdout.write(toBinary(bootstrap.BootstrapResultSchema, create(bootstrap.BootstrapResultSchema, result)));
}

function deleteLeftovers(behaviour: FixtureShim): void {
  if (behaviour.delete === 'fails') {
    process.stderr.write('cannot delete\n');
    process.exit(1);
  }
  const response = { pid: fixturePids.deleted, exitStatus: 137, exitedAt: timestampNow() };
  process.stdout.write(toBinary(shimTask.DeleteResponseSchema, create(shimTask.DeleteResponseSchema, response)));
}

async function serve(behaviour: FixtureShim): Promise<void> {
  const tasks = new Map<string, taskTypes.Status>();
  const log = (line: string) => writeFileSync('log', `${line}\n`);
  const find = (task: string): taskTypes.Status => {
    const status = tasks.get(task);
    if (status === undefined) throw new StrakeError('NotFound', `container ${task}`);
    return status;
  };
  const unused = () => {
    throw new StrakeError('Unimplemented', 'the fixture does not');
  };
  const { CREATED, RUNNING, STOPPED } = taskTypes.Status;
  const implementation: ServiceImplementation<typeof shimTask.Task> = {
    create: (request, { requestHeader }) => {
      if (behaviour.create === 'fails') throw new StrakeError('InvalidArgument', 'no such rootfs');
      if (behaviour.create === 'dies') process.exit(1);
      log(`${request.id} of ${requestHeader.get('containerd-namespace-ttrpc')} has ${request.rootfs.length} mounts and ${request.stdout}`);
      tasks.set(request.id, CREATED);
      return { pid: fixturePids.task };
    },
    start: ({ id: task }) => {
      find(task);
      tasks.set(task, RUNNING);
      return { pid: fixturePids.task };
    },
    state: ({ id: task }) => ({ id: task, pid: fixturePids.task, status: find(task) }),
    // Its end, as the shim tells it.
    kill: async ({ id: task, signal }) => {
      find(task);
      tasks.set(task, STOPPED);
      const exit = { containerId: task, id: task, pid: fixturePids.task, exitStatus: 128 + signal, exitedAt: timestampNow() };
      await publish('/tasks/exit', taskEvents.TaskExitSchema, exit);
      return {};
    },
    delete: async ({ id: task }) => {
      if (find(task) === RUNNING) throw new StrakeError('FailedPrecondition', 'task must be stopped before deletion: running');
      tasks.delete(task);
      const exit = { pid: fixturePids.task, exitStatus: 7, exitedAt: timestampNow() };
      if (!behaviour.isSilent) void publish('/tasks/delete', taskEvents.TaskDeleteSchema, { containerId: task, ...exit });
      return exit;
    },
    connect: () => ({ shimPid: process.pid, taskPid: fixturePids.task }),
    shutdown: () => {
      if (tasks.size === 0) setImmediate(() => process.exit(0));
      return {};
    },
    wait: () => new Promise(() => undefined),
    pids: unused,
    pause: unused,
    resume: unused,
    checkpoint: unused,
    exec: unused,
    resizePty: unused,
    closeIO: unused,
    update: unused,
    stats: unused,
  };
  const service = (behaviour.version ?? 3) === 3 ? servedService(shimTask.Task, implementation) : servedService(shimTaskV2.Task, implementation as never);
  const server = new TtrpcServer({ services: [service] });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    server.serve(socket);
  });
  // Ends its connections, not itself.
  process.on('SIGUSR1', () => {
    for (const socket of sockets) socket.destroy();
  });
  listener.listen(path.resolve('shim.sock'), () => process.send?.('ready'));
}

async function publish<Schema extends DescMessage>(topic: string, schema: Schema, event: MessageInitShape<Schema>): Promise<void> {
  using connection = await TtrpcConnection.open(process.env['TTRPC_ADDRESS'] ?? '');
  const events = createTtrpcClient(ttrpcEvents.Events, connection);
  await events.forward({ envelope: { namespace, topic, timestamp: timestampNow(), event: anyPack(schema, create(schema, event)) } });
}

async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
