import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../base/index.ts';
import { createUpstream } from '../../cmd/registry/upstream.ts';
import { digestOf } from '../../oci/index.ts';
import { errorCodes, startTestRegistry, type TestRegistry } from '../fixtures-registry.ts';
import { collectGarbage } from '../garbage/collect.ts';
import { PullThrough } from './pull-through.ts';

interface Place extends AsyncDisposable {
  readonly upstream: TestRegistry;
  readonly cache: TestRegistry;
  readonly pullThrough: PullThrough;
  /** Requests that the upstream answered since the last call. */
  asked(): string[];
}

async function place(): Promise<Place> {
  const requests: string[] = [];
  const cleanup = new AsyncDisposableStack();
  const upstream = cleanup.use(
    await startTestRegistry({ onAnswered: ({ method, path: target }) => requests.push(`${method} ${target.replace(/sha256:.*/, 'DIGEST')}`) }),
  );
  let pullThrough: PullThrough | undefined;
  const cache = cleanup.use(
    await startTestRegistry({
      makeOptions(storage) {
        const source = createUpstream({ domain: new URL(upstream.url).host, insecure: true, credentials: undefined });
        pullThrough = cleanup.use(new PullThrough({ storage, upstream: source, log: silentLogger }));
        return { cache: pullThrough, readOnly: true };
      },
    }),
  );
  return {
    upstream,
    cache,
    pullThrough: pullThrough as PullThrough,
    asked: () => requests.splice(0).filter((request) => !request.endsWith('/v2/')),
    [Symbol.asyncDispose]: async () => await cleanup.disposeAsync(),
  };
}

const blobFiles = ({ root }: TestRegistry) => readdirSync(path.join(root, 'content/blobs/sha256'));

test('what is asked for comes once, and stays when the upstream is gone', async () => {
  await using at = await place();
  const pushed = await at.upstream.pushImage('a/b', 'v1', ['layer']);
  const digest = pushed.headers.get('docker-content-digest') ?? '';
  const layer = digestOf('layer');
  at.asked();
  const pull = async () => {
    const manifest = await at.cache.fetch('a/b/manifests/v1');
    expect([manifest.status, manifest.headers.get('docker-content-digest')]).toEqual([200, digest]);
    expect(await (await at.cache.fetch(`a/b/blobs/${layer}`)).text()).toBe('layer');
  };
  await pull();
  expect(at.asked()).toEqual(['GET /v2/a/b/manifests/v1', 'HEAD /v2/a/b/blobs/DIGEST', 'GET /v2/a/b/blobs/DIGEST']);
  await pull();
  expect((await at.cache.fetch(`a/b/manifests/${digest}`)).status).toBe(200);
  expect(at.asked()).toEqual(['HEAD /v2/a/b/manifests/v1']);
  await at.upstream[Symbol.asyncDispose]();
  await pull();
  expect(await errorCodes(await at.cache.fetch('a/b/manifests/v2'))).toBe('503 UNAVAILABLE');
});

test('a tag that moved is seen; what is nowhere is not here', async () => {
  await using at = await place();
  await at.upstream.pushImage('a', 'v1', ['old']);
  const old = (await at.cache.fetch('a/manifests/v1')).headers.get('docker-content-digest');
  const moved = (await at.upstream.pushImage('a', 'v1', ['new'])).headers.get('docker-content-digest');
  expect((await at.cache.fetch('a/manifests/v1', { method: 'HEAD' })).headers.get('docker-content-digest')).toBe(moved);
  expect((await at.cache.fetch(`a/manifests/${old}`)).status).toBe(200);
  expect(await errorCodes(await at.cache.fetch('a/manifests/v2'))).toBe('404 MANIFEST_UNKNOWN');
  expect(await errorCodes(await at.cache.fetch(`a/blobs/${digestOf('none')}`))).toBe('404 BLOB_UNKNOWN');
  expect(await errorCodes(await at.cache.fetch('a/blobs/uploads/', { method: 'POST' }))).toBe('405 UNSUPPORTED');
});

test('many who want one blob at the same time get it from one download', async () => {
  await using at = await place();
  const text = 'x'.repeat(3 << 20);
  const digest = await at.upstream.pushBlob('a', text);
  at.asked();
  const pulls = Array.from({ length: 8 }, async (_, number) => {
    const headers: Record<string, string> = number % 2 === 0 ? {} : { range: 'bytes=1-' };
    return (await (await at.cache.fetch(`a/blobs/${digest}`, { headers })).text()).length;
  });
  expect(new Set(await Promise.all(pulls))).toEqual(new Set([text.length, text.length - 1]));
  expect(at.asked().filter((request) => request.startsWith('GET'))).toEqual(['GET /v2/a/blobs/DIGEST']);
});

test('a client that leaves does not end the download', async () => {
  await using at = await place();
  const digest = await at.upstream.pushBlob('a', 'y'.repeat(8 << 20));
  const leaving = new AbortController();
  const response = await at.cache.fetch(`a/blobs/${digest}`, { signal: leaving.signal });
  const reader = response.body?.getReader();
  await reader?.read();
  leaving.abort();
  expect((await (await at.cache.fetch(`a/blobs/${digest}`)).arrayBuffer()).byteLength).toBe(8 << 20);
  expect(at.asked().filter((request) => request === 'GET /v2/a/blobs/DIGEST')).toHaveLength(1);
});

test('content of one repository is given to another only when it is there upstream', async () => {
  await using at = await place();
  const digest = await at.upstream.pushBlob('a', 'secret');
  await at.cache.fetch(`a/blobs/${digest}`);
  expect(await errorCodes(await at.cache.fetch(`b/blobs/${digest}`))).toBe('404 BLOB_UNKNOWN');
  await at.upstream.fetch(`b/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' });
  at.asked();
  expect(await (await at.cache.fetch(`b/blobs/${digest}`)).text()).toBe('secret');
  expect(at.asked()).toEqual(['HEAD /v2/b/blobs/DIGEST']);
});

test('an upstream that lies: nothing is kept, and the client does not get a whole', async () => {
  await using at = await place();
  const digest = await at.upstream.pushBlob('a', 'honest');
  const { content, catalogue } = at.upstream.storage;
  await content.delete(digest);
  await at.upstream.pushBlob('a', 'faked!');
  const file = path.join(at.upstream.root, 'content/blobs/sha256', digestOf('faked!').slice(7));
  await Bun.write(path.join(at.upstream.root, 'content/blobs/sha256', digest.slice(7)), Bun.file(file));
  expect(catalogue.hasBlob('a', digest)).toBe(true);
  const outcome = await at.cache
    .fetch(`a/blobs/${digest}`)
    .then(async (response) => await response.text())
    .catch(() => 'broken off');
  // A fetch may take what was cut for the end.
  expect(['', 'broken off']).toContain(outcome);
  await at.pullThrough[Symbol.asyncDispose]();
  expect(blobFiles(at.cache)).toEqual([]);
});

test('what was brought is forgotten after its time', async () => {
  await using at = await place();
  await at.upstream.pushImage('a', 'v1', ['layer']);
  await at.cache.fetch('a/manifests/v1');
  await (await at.cache.fetch(`a/blobs/${digestOf('layer')}`)).text();
  const later = { storage: at.cache.storage, graceMs: 0, uploadLifeMs: 0, untagged: false, cacheLifeMs: 1000, now: () => new Date(Date.now() + 2000) };
  expect(await collectGarbage(later)).toMatchObject({ manifests: 1, blobs: 2, repositories: 1 });
  expect(blobFiles(at.cache)).toEqual([]);
});
