import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { taskEvents, ttrpcEvents } from '../api/containerd/index.ts';
import { silentLogger } from '../base/index.ts';
import { servedService, TtrpcServer } from '../rpc/ttrpc/index.ts';
import { EventForwarder } from './event-forwarder.ts';

test('events arrive in their order, with time and namespace, also over a containerd that comes late or drops the connection', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-events-'));
  const address = path.join(directory, 'containerd.sock.ttrpc');
  const seen: string[] = [];
  let dropped = false;
  const open = async () => {
    const server = new TtrpcServer({
      services: [
        servedService(ttrpcEvents.Events, {
          forward: ({ envelope }) => {
            if (!dropped) {
              dropped = true;
              server.close();
              return {};
            }
            const { namespace, topic, event, timestamp } = envelope ?? {};
            const exit = topic === '/tasks/exit' && event !== undefined ? fromBinary(taskEvents.TaskExitSchema, event.value) : undefined;
            seen.push([namespace, topic, event?.typeUrl, timestamp && timestampDate(timestamp).getTime(), exit?.exitStatus].join(' '));
            return {};
          },
        }),
      ],
    });
    await server.listen(address);
    return server;
  };
  using events = new EventForwarder({ address, namespace: 'ns', log: silentLogger, now: () => new Date(7) });
  events.publish('/tasks/start', { containerId: 'c', pid: 1 });
  events.publish('/tasks/exit', { containerId: 'c', id: 'c', pid: 1, exitStatus: 137, exitedAt: new Date(5) });
  events.publish('/engine/other', {});
  const first = await open();
  while (!dropped) await new Promise((resolve) => setTimeout(resolve, 5));
  first.close();
  const second = await open();
  await events.flushed();
  second.close();
  expect(seen).toEqual(['ns /tasks/start containerd.events.TaskStart 7 ', 'ns /tasks/exit containerd.events.TaskExit 7 137']);
  rmSync(directory, { recursive: true });
});

test('without an address nobody is told', async () => {
  using events = new EventForwarder({ address: '', namespace: 'ns', log: silentLogger });
  events.publish('/tasks/start', { containerId: 'c', pid: 1 });
  await events.flushed();
});
