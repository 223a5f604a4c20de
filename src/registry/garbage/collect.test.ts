import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { digestOf, mediaTypes } from '../../oci/index.ts';
import { startTestRegistry, type TestRegistry } from '../fixtures-registry.ts';
import { collectGarbage } from './collect.ts';

const hourMs = 3600_000;
const start = Date.parse('2026-01-01T00:00:00Z');

/** A registry, and a clock that a test turns. */
async function place() {
  const clock = { ms: start };
  const registry = await startTestRegistry({ now: () => new Date(clock.ms) });
  const collect = async (untagged = false) =>
    await collectGarbage({ storage: registry.storage, graceMs: hourMs, uploadLifeMs: 24 * hourMs, untagged, now: () => new Date(clock.ms) });
  return { clock, registry, collect, [Symbol.asyncDispose]: async () => await registry[Symbol.asyncDispose]() };
}

const stored = ({ root }: TestRegistry) => readdirSync(path.join(root, 'content/blobs/sha256')).length;
const remove = async (registry: TestRegistry, target: string) => expect((await registry.fetch(target, { method: 'DELETE' })).status).toBe(202);

test('what no manifest names goes after its time; what one names stays', async () => {
  await using at = await place();
  const { registry } = at;
  await registry.pushImage('a', 'v1', ['layer']);
  await registry.pushBlob('a', 'lonely');
  await registry.pushBlob('b', 'lonely');
  expect((await at.collect()).unlinked).toBe(0);
  at.clock.ms += hourMs + 1;
  expect(await at.collect()).toEqual({ uploads: 0, manifests: 0, unlinked: 2, repositories: 1, blobs: 1, freedBytes: 6 });
  expect([stored(registry), registry.storage.catalogue.hasRepository('b')]).toEqual([3, false]);
  expect((await registry.fetch(`a/blobs/${digestOf('layer')}`)).status).toBe(200);
});

test('content that two repositories have stays for the other', async () => {
  await using at = await place();
  const { registry } = at;
  const digest = (await registry.pushImage('a', 'v1', ['layer'])).headers.get('docker-content-digest');
  await registry.pushImage('b', 'v1', ['layer']);
  await remove(registry, `a/manifests/${digest}`);
  at.clock.ms += hourMs + 1;
  expect((await at.collect()).blobs).toBe(0);
  await remove(registry, `b/manifests/${digest}`);
  expect(await at.collect()).toMatchObject({ unlinked: 2, repositories: 1, blobs: 3 });
  expect(stored(registry)).toBe(0);
});

test('untagged manifests go when that is wanted, unless an index or a subject keeps them', async () => {
  await using at = await place();
  const { registry } = at;
  const digestIn = (response: Response) => response.headers.get('docker-content-digest') ?? '';
  const member = digestIn(await registry.pushImage('a', 'digest', ['member']));
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType: mediaTypes.ociManifest, digest: member, size: 1 }],
  });
  const index = digestIn(await registry.fetch('a/manifests/index', { method: 'PUT', body, headers: { 'content-type': mediaTypes.ociIndex } }));
  const signature = digestIn(await registry.pushImage('a', 'digest', ['sign'], { subject: { mediaType: mediaTypes.ociIndex, digest: index, size: 1 } }));
  const alone = digestIn(await registry.pushImage('a', 'digest', ['alone']));
  at.clock.ms += hourMs + 1;
  expect((await at.collect()).manifests).toBe(0);
  expect((await at.collect(true)).manifests).toBe(1);
  const there = async (digest: string) => (await registry.fetch(`a/manifests/${digest}`, { method: 'HEAD' })).status;
  expect([await there(alone), await there(index), await there(member), await there(signature)]).toEqual([404, 200, 200, 200]);
  await remove(registry, 'a/manifests/index');
  expect(await at.collect(true)).toMatchObject({ manifests: 3, repositories: 1 });
  expect(stored(registry)).toBe(0);
});

test('collecting all the while, 200 pushes, pulls and removals lose nothing and leave nothing', async () => {
  await using at = await place();
  const { registry } = at;
  let done = false;
  const collecting = (async () => {
    for (let runs = 0; ; runs++) {
      if (done) return runs;
      await at.collect(true);
      await setImmediate();
    }
  })();
  /** Layers are shared by some, so that one's removal meets another's push. */
  const worker = async (number: number) => {
    const repository = `r${number % 20}`;
    const layers = [`shared ${number % 7}`, `own ${number}`];
    const pushed = await registry.pushImage(repository, `v${number}`, layers);
    expect(pushed.status).toBe(201);
    for (const layer of layers) expect(await (await registry.fetch(`${repository}/blobs/${digestOf(layer)}`)).text()).toBe(layer);
    if (number % 2 === 0) await remove(registry, `${repository}/manifests/${pushed.headers.get('docker-content-digest')}`);
  };
  await Promise.all(Array.from({ length: 200 }, (_, number) => worker(number)));
  done = true;
  expect(await collecting).toBeGreaterThan(1);
  at.clock.ms += hourMs + 1;
  await at.collect(true);
  // A manifest, its own layer for each odd one; the layers that are shared, and one configuration.
  expect(stored(registry)).toBe(100 + 100 + 7 + 1);
  for (let number = 1; number < 200; number += 2) expect((await registry.fetch(`r${number % 20}/blobs/${digestOf(`own ${number}`)}`)).status).toBe(200);
}, 60_000);
