import { expect, test } from 'bun:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf, type Manifest, mediaTypes } from '../../oci/index.ts';
import { openTestCore } from '../fixtures.ts';
import { packImage } from './pack-image.ts';
import { putBlob } from './put-blob.ts';

test('plain layers are packed, the same way each time; all else stays', async () => {
  using core = openTestCore();
  using lease = core.leases.acquire();
  const put = async (mediaType: string, bytes: Buffer) => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await putBlob(core.content, descriptor, bytes);
    return descriptor;
  };
  const plain = Buffer.alloc(1 << 20, 'plain');
  const config = await put(mediaTypes.ociConfig, Buffer.from('{}'));
  const packed = await put(mediaTypes.ociLayerGzip, gzipSync('packed'));
  const manifest: Manifest = { schemaVersion: 2, config, layers: [packed, await put(mediaTypes.ociLayer, plain)], annotations: { kept: 'yes' } };
  const target = await packImage(core.content, lease, manifest);
  expect(await packImage(core.content, lease, manifest)).toEqual(target);
  const made = JSON.parse(Buffer.from(await core.content.readAll(target?.digest ?? '', 1 << 20)).toString()) as Manifest;
  expect([made.config, made.layers[0], made.annotations]).toEqual([config, packed, { kept: 'yes' }]);
  expect(made.layers[1]?.mediaType).toBe(mediaTypes.ociLayerGzip);
  expect(gunzipSync(await core.content.readAll(made.layers[1]?.digest ?? '', 1 << 20)).equals(plain)).toBe(true);
  for (const digest of [target?.digest ?? '', made.layers[1]?.digest ?? '']) expect(core.leases.holds(digest)).toBe(true);
  expect(await packImage(core.content, lease, made)).toBeUndefined();
  const docker = await packImage(core.content, lease, {
    ...manifest,
    mediaType: mediaTypes.dockerManifest,
    layers: [{ ...manifest.layers[1], mediaType: mediaTypes.dockerLayer } as Manifest['config']],
  });
  const { layers } = JSON.parse(Buffer.from(await core.content.readAll(docker?.digest ?? '', 1 << 20)).toString()) as Manifest;
  expect([docker?.mediaType, layers[0]?.mediaType]).toEqual([mediaTypes.dockerManifest, mediaTypes.dockerLayerGzip]);
});
