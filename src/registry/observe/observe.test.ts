import { expect, test } from 'bun:test';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '../../base/index.ts';
import { startTestRegistry } from '../fixtures-registry.ts';
import { collectGarbage } from '../garbage/collect.ts';
import { createMetrics } from './metrics.ts';
import { type Notification, notificationType, toNotification } from './notification.ts';
import { Webhook } from './webhook.ts';

interface Listener extends AsyncDisposable {
  readonly url: URL;
  readonly received: { readonly headers: http.IncomingHttpHeaders; readonly events: readonly Notification[] }[];
  /** Statuses of the next answers; 200 after them. */
  readonly statuses: number[];
  /** Resolves when so many events have come. */
  got(count: number): Promise<readonly Notification[]>;
}

async function listen(): Promise<Listener> {
  const received: Listener['received'] = [];
  const statuses: number[] = [];
  let wake: () => void = () => undefined;
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    const status = statuses.shift() ?? 200;
    if (status === 200) received.push({ headers: request.headers, ...(JSON.parse(body) as { readonly events: readonly Notification[] }) });
    response.writeHead(status).end();
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const events = () => received.flatMap((entry) => entry.events);
  return {
    url: new URL(`http://ann:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/hook`),
    received,
    statuses,
    async got(count) {
      while (events().length < count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      return events();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a webhook hears of everything, in order, also after it failed', async () => {
  await using listener = await listen();
  listener.statuses.push(500, 503);
  const webhook = new Webhook({ url: listener.url, log: silentLogger, retryDelayMs: 1 });
  await using registry = await startTestRegistry({
    options: { onEvent: (event, request, user) => webhook.push(toNotification(event, request, user, new Date(0))) },
  });
  await registry.pushImage('a', 'v1', ['layer']);
  await registry.fetch('a/manifests/v1');
  const digest = await registry.pushBlob('a', 'x');
  await registry.fetch(`b/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' });
  await registry.fetch(`a/blobs/${digest}`);
  await registry.fetch(`a/blobs/${digest}`, { method: 'DELETE' });
  await registry.fetch('a/manifests/v1', { method: 'DELETE' });
  const events = await listener.got(9);
  expect(events.map(({ action, target }) => [action, target['repository'], target['tag'], target['fromRepository']])).toEqual([
    ['push', 'a', undefined, undefined],
    ['push', 'a', undefined, undefined],
    ['push', 'a', 'v1', undefined],
    ['pull', 'a', 'v1', undefined],
    ['push', 'a', undefined, undefined],
    ['mount', 'b', undefined, 'a'],
    ['pull', 'a', undefined, undefined],
    ['delete', 'a', undefined, undefined],
    ['delete', 'a', 'v1', undefined],
  ]);
  expect(events[4]?.target).toEqual({
    mediaType: 'application/octet-stream',
    size: 1,
    length: 1,
    digest,
    url: `${registry.url}/v2/a/blobs/${digest}`,
    repository: 'a',
  });
  expect(events[0]?.timestamp).toBe('1970-01-01T00:00:00.000Z');
  const { headers } = listener.received[0] ?? {};
  expect([headers?.['content-type'], headers?.authorization]).toEqual([notificationType, `Basic ${Buffer.from('ann:s3cret').toString('base64')}`]);
  await webhook[Symbol.asyncDispose]();
  expect(webhook.counts).toEqual({ waiting: 0, sent: 9, dropped: 0 });
});

test('what cannot be delivered is dropped, and counted', async () => {
  await using listener = await listen();
  listener.statuses.push(500, 500, 500);
  const lines: unknown[] = [];
  const log = { ...silentLogger, warn: (_message: string, fields?: object) => lines.push(fields) };
  const webhook = new Webhook({ url: listener.url, log, retryDelayMs: 1, attempts: 3, maxWaiting: 1 });
  const notification = { id: 'x' } as Notification;
  webhook.push(notification);
  webhook.push(notification);
  await webhook[Symbol.asyncDispose]();
  expect(webhook.counts).toEqual({ waiting: 0, sent: 0, dropped: 2 });
  expect(lines).toEqual([
    { url: webhook.url, count: 1, problem: 'too many wait' },
    { url: webhook.url, count: 1, problem: 'answered 500' },
  ]);
  expect(webhook.url).not.toContain('s3cret');
});

test('metrics', async () => {
  await using registry = await startTestRegistry({
    options: { onEvent: (event) => metrics.happened(event) },
    onAnswered: (request) => metrics.answered(request),
  });
  const metrics = createMetrics({ storage: registry.storage, webhooks: [] });
  await registry.pushImage('a', 'v1', ['layer']);
  await registry.pushImage('b', 'v1', ['layer']);
  await registry.fetch('a/manifests/none');
  await fetch(`${registry.url}/%ff`, { method: 'OPTIONS' });
  metrics.collected(await collectGarbage({ storage: registry.storage, graceMs: 0, uploadLifeMs: 0, untagged: false }));
  const text = await metrics.text();
  for (const line of [
    'strake_registry_http_requests_total{method="POST",target="uploads",status="201"} 4',
    'strake_registry_http_requests_total{method="GET",target="manifest",status="404"} 1',
    'strake_registry_http_requests_total{method="other",target="other",status="404"} 1',
    'strake_registry_http_request_duration_seconds_count{method="PUT",target="manifest"} 2',
    'strake_registry_events_total{action="push"} 6',
    'strake_registry_repositories 2',
    'strake_registry_tags 2',
    'strake_registry_blobs 2',
    'strake_registry_garbage_collections_total 1',
  ])
    expect(text).toContain(`${line}\n`);
});
