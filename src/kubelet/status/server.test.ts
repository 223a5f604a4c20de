import { expect, test } from 'bun:test';
import { serveStatus } from './server.ts';

test('what anybody may read of a kubelet', async () => {
  let well = true;
  const pod = (name: string, phase: string) => ({ metadata: { name }, status: { phase, startTime: new Date(1500) } });
  await using server = await serveStatus({
    host: '127.0.0.1',
    port: 0,
    pods: () => [pod('a', 'Running'), pod('b', 'Pending')],
    healthy: async () => {
      if (!well) throw new Error('it sleeps');
    },
  });
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [response.status, await response.text()];
  };
  const list = (...items: readonly string[]) => `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[${items.join(',')}]}\n`;
  const a = '{"metadata":{"name":"a"},"status":{"phase":"Running","startTime":"1970-01-01T00:00:01Z"}}';
  const b = '{"metadata":{"name":"b"},"status":{"phase":"Pending","startTime":"1970-01-01T00:00:01Z"}}';
  expect(await ask('/pods')).toEqual([200, list(a, b)]);
  expect(await ask('/runningpods/')).toEqual([200, list(a)]);
  expect(await ask('/pods?x=1', 'HEAD')).toEqual([200, '']);
  expect(await ask('/healthz')).toEqual([200, 'ok']);
  well = false;
  expect(await ask('/healthz')).toEqual([500, 'the container runtime is not well: it sleeps\n']);
  expect(await ask('/pods', 'POST')).toEqual([405, '405 method not allowed\n']);
  for (const path of ['/', '/exec', '//', '/constructor']) expect(await ask(path)).toEqual([404, '404 page not found\n']);
});
