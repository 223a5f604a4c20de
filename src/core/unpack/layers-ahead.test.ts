import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../oci/index.ts';
import { writeTar } from '../diff/tar/writer.ts';
import { openTestCore, rejection, type TestCore } from '../fixtures.ts';
import { putLayer } from '../images/put-layer.ts';
import { snapshotterNames } from '../snapshots/local/check-snapshotter.ts';
import { LayersAhead } from './layers-ahead.ts';

const layer = writeTar([{ name: 'file', type: 'file', mode: 0o644, content: Buffer.from('content') }]);
const diffId = digestOf(layer);

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

const directories = (core: TestCore) => readdirSync(path.join(core.root, 'snapshots')).filter((name) => /^\d+$/.test(name));
const keys = async (core: TestCore) => (await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key);

/** Never asked: the layer is unpacked already. */
function source(): AsyncIterable<Uint8Array> {
  throw new Error('the blob was read again');
}

for (const snapshotter of snapshotterNames)
  test.each([
    ['plain', layer],
    ['packed', gzipSync(layer)],
  ] as const)(`${snapshotter}: a %s layer is unpacked while it is stored, and then known by its diff id`, async (_how, blob) => {
    using core = openTestCore({ snapshotter });
    await core.snapshots.prepare('below', undefined);
    await core.snapshots.commit('base', 'below');
    using lease = core.leases.acquire();
    lease.add('base');
    await using ahead = new LayersAhead({ unpacker: core.unpacker, lease, parent: { chainId: 'base' } });
    const { descriptor } = await putLayer(core.content, lease, pieces(blob), { onLayer: ahead.unpack, diffId });
    expect(descriptor.digest).toBe(digestOf(blob));
    // The lease holds it.
    await core.collectGarbage();
    const chainId = digestOf(`base ${diffId}`);
    const parent = { chainId: 'base', ready: Promise.resolve() };
    await core.unpacker.ensure({ layer: descriptor, diffId, chainId, parent, source, ahead: () => ahead.take(diffId) });
    const mount = await core.snapshots.view('look', chainId);
    expect(readFileSync(path.join((mount.type === 'bind' ? mount.source : mount.lowers[0]) ?? '', 'file'), 'utf8')).toBe('content');
  });

test('where a layer cannot be unpacked apart, and nobody knows what it lies over, it is only stored', async () => {
  using core = openTestCore({ snapshotter: 'native' });
  using lease = core.leases.acquire();
  await using ahead = new LayersAhead({ unpacker: core.unpacker, lease });
  await putLayer(core.content, lease, pieces(layer), { onLayer: ahead.unpack });
  expect([ahead.take(diffId), (await core.content.info(diffId)).sizeBytes]).toEqual([undefined, layer.length]);
});

test('what nobody takes goes, as does the second of the same layer', async () => {
  using core = openTestCore();
  using lease = core.leases.acquire();
  {
    await using ahead = new LayersAhead({ unpacker: core.unpacker, lease });
    for (let time = 0; time < 2; time++) await ahead.unpack({ bytes: pieces(layer), compression: 'none', digest: () => diffId });
    expect(directories(core)).toHaveLength(1);
  }
  expect([directories(core), await keys(core)]).toEqual([[], []]);
});

test.each([
  ['what is no archive', Buffer.alloc(5000, 'x'), 'none'],
  ['what is packed and no archive', gzipSync(Buffer.alloc(5000, 'x')), 'gzip'],
  ['damage', gzipSync(layer).fill(0, 12), 'gzip'],
  ['a name that no layer may have', writeTar([{ name: '../x', type: 'file', mode: 0o644 }]), 'none'],
] as const)('%s is stored, and unpacked by nobody', async (_what, blob, compression) => {
  using core = openTestCore();
  using lease = core.leases.acquire();
  await using ahead = new LayersAhead({ unpacker: core.unpacker, lease });
  let bytes = 0;
  const read = (async function* () {
    for await (const piece of pieces(blob)) {
      bytes += piece.length;
      yield piece;
    }
  })();
  await ahead.unpack({ bytes: read, compression, digest: () => digestOf(blob) });
  expect([bytes, ahead.take(digestOf(blob)), await keys(core)]).toEqual([blob.length, undefined, []]);
});

test('a source that breaks off, and work that is stopped, are told', async () => {
  using core = openTestCore();
  using lease = core.leases.acquire();
  const stop = new AbortController();
  await using ahead = new LayersAhead({ unpacker: core.unpacker, lease, signal: stop.signal });
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield layer.subarray(0, 700);
    throw new Error('broken off');
  }
  async function* stopped(): AsyncGenerator<Uint8Array> {
    yield layer.subarray(0, 700);
    stop.abort(new Error('stopped'));
    yield layer.subarray(700);
  }
  for (const [bytes, message] of [
    [broken(), 'undefined: broken off'],
    [stopped(), 'undefined: stopped'],
  ] as const)
    expect(await rejection(ahead.unpack({ bytes, compression: 'none', digest: () => diffId }))).toBe(message);
  expect(await keys(core)).toEqual([]);
});
