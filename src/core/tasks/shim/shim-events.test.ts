import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { taskEvents, ttrpcEvents } from '../../../api/containerd/index.ts';
import { silentLogger } from '../../../base/index.ts';
import { createTtrpcClient, TtrpcConnection, TtrpcServer } from '../../../rpc/ttrpc/index.ts';
import { ShimEvents } from './shim-events.ts';

test('execs of a shim that has gone end with their task, each once, whatever the shim still has on the way', async () => {
  const told: string[] = [];
  const events = new ShimEvents({
    in: () => ({ publish: (topic, { id, pid, exitStatus }) => void told.push(`${topic} ${id} ${pid} ${exitStatus}, told here`) }),
    forward: ({ topic }) => void told.push(topic),
  });
  const directory = mkdtempSync('/tmp/strake-shim-events-');
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(directory, { recursive: true }));
  const server = new TtrpcServer({ services: [events.service], log: silentLogger });
  cleanup.defer(() => server.close());
  const address = path.join(directory, 'events.sock');
  await server.listen(address);
  const connection = await TtrpcConnection.open(address);
  cleanup.defer(() => connection.close());
  const client = createTtrpcClient(ttrpcEvents.Events, connection);
  const tell = async <Schema extends DescMessage>(topic: string, schema: Schema, fields: MessageInitShape<Schema>) => {
    await client.forward({ envelope: { namespace: 'space', topic, event: anyPack(schema, create(schema, fields)) } });
  };
  const exit = async (id: string) => await tell('/tasks/exit', taskEvents.TaskExitSchema, { containerId: 'one', id, pid: 7, exitStatus: 3 });

  events.watch('space', 'one');
  for (const [execId, pid] of [
    ['ends', 7],
    ['stays', 8],
  ] as const)
    await tell('/tasks/exec-started', taskEvents.TaskExecStartedSchema, { containerId: 'one', execId, pid });
  await exit('ends');
  events.tellEnd('space', 'one', { pid: 6, code: 137, at: new Date(0) });
  await exit('stays');
  await exit('one');
  expect(told).toEqual([
    '/tasks/exec-started',
    '/tasks/exec-started',
    '/tasks/exit',
    '/tasks/exit stays 8 137, told here',
    '/tasks/exit one 6 137, told here',
    '/tasks/delete undefined 6 137, told here',
  ]);
});
