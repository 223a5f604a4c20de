/**
 * `strake registry` as a person meets it: skopeo pushes to it, it is killed and comes back, strake runs from it and from a cache of it, Prometheus asks it, and
 * its page stands in a real browser.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureHostTools } from '../../tools/peers/host-tools.ts';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { writeLayout } from '../fixtures/image.ts';
import { friendlyImages } from '../fixtures/images.ts';
import { Engine, strakeBinary } from '../lib/engine.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';

const setupMs = 600_000;
const address = '127.0.0.1:5001';
const cacheAddress = '127.0.0.1:5002';
const metricsAddress = '127.0.0.1:9001';

let peers: PeerWorld;
let engine: Engine;
let registry: Running;
const work = (name: string) => join(peers.world.work, name);

async function serve(name: string, ...flags: string[]): Promise<Running> {
  const running = peers.world.spawn([strakeBinary, 'registry', '--root', work(name), ...flags]);
  await running.output(/registry listens on/, { stream: 'stderr' });
  return running;
}

const serveRegistry = async () => await serve('registry', '--addr', address, '--metrics-addr', metricsAddress);

/** What a browser makes of a page: its markup, after everything was loaded. */
async function browse(url: string): Promise<string> {
  const profile = work('chromium');
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, '--virtual-time-budget=5000'];
  return await peers.world.output(['chromium', ...flags, '--dump-dom', url], { env: { HOME: profile } });
}

const ask = async (url: string) => await peers.world.output([process.execPath, '-e', `console.log(await (await fetch(${JSON.stringify(url)})).text())`]);

beforeAll(async () => {
  ensureHostTools({ chromium: '/usr/bin/chromium' });
  await ensurePeers();
  peers = await PeerWorld.start();
  mkdirSync(work('chromium'));
  registry = await serveRegistry();
  const images = friendlyImages('');
  for (const name of ['busybox', 'layers']) {
    const build = images[name];
    if (build === undefined) throw new Error(`there is no image ${name}`);
    writeLayout(work(name), build());
    await peers.output([
      'skopeo',
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      `oci:${work(name)}:latest`,
      `docker://${address}/test/${name}:latest`,
    ]);
  }
  engine = await Engine.join(peers, []);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

test('what was pushed outlives a kill, and runs', async () => {
  registry.signal('SIGKILL');
  await registry.finished;
  registry = await serveRegistry();
  const { code, stdout, stderr } = await peers.world.run([
    ...engine.strake,
    'run',
    '--rm',
    '--network',
    'none',
    `${address}/test/layers`,
    'cat',
    '/cake/replaced',
  ]);
  expect([code, stdout, code === 0 ? '' : stderr]).toEqual([0, 'new\n', '']);
});

test('a cache of it brings the same, and keeps it', async () => {
  const cache = await serve('cache', '--addr', cacheAddress, '--proxy', `http://${address}`);
  const digest = async (host: string) =>
    (await peers.output(['skopeo', 'inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${host}/test/busybox`])).trim();
  expect(await digest(cacheAddress)).toBe(await digest(address));
  expect(await peers.world.output([...engine.strake, 'run', '--rm', '--network', 'none', `${cacheAddress}/test/busybox`, 'echo', 'cached'])).toBe('cached\n');
  expect(await ask(`http://${cacheAddress}/v2/_catalog`)).toContain('{"repositories":["test/busybox"]}');
  expect((await cache.stop()).stderr).toContain("processing signal 'SIGTERM'");
});

test('metrics', async () => {
  const text = await ask(`http://${metricsAddress}/metrics`);
  expect(text).toMatch(/^strake_registry_http_requests_total\{method="GET",target="blob",status="200"\} [1-9]/m);
  expect(text).toMatch(/^strake_registry_repositories 2$/m);
});

test('the page in a browser: repositories, and the layers of a tag', async () => {
  const list = await browse(`http://${address}/`);
  expect(list).toMatch(/<a href="\/repositories\/test\/busybox">test\/busybox<\/a>/);
  expect(list).toMatch(/<a href="\/repositories\/test\/layers">test\/layers<\/a><\/td><td class="number">1<\/td>/);
  const repository = await browse(`http://${address}/repositories/test/layers`);
  expect(repository).toMatch(/<h3>linux\/amd64: 4 layers, [\d.]+ (?:k|M)?B<\/h3>/);
  expect(repository.match(/<td><code>sha256:[0-9a-f]{64}<\/code><\/td>/g)).toHaveLength(4);
  expect(repository).toContain('application/vnd.oci.image.layer.v1.tar+zstd');
}, 60_000);
