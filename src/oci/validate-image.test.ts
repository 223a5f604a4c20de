import { expect, test } from 'bun:test';
import { chainIds, digestOf, isDigest, parseDigest } from './digest.ts';
import { mediaTypes } from './image-spec.ts';
import { parseImageConfig, parseImageDocument } from './validate-image.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const blob = { mediaType: mediaTypes.ociLayer, digest, size: 3 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [blob] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [blob] };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

test('manifests and indexes of both families are told apart', () => {
  expect(parseImageDocument(bytes(manifest), mediaTypes.ociManifest, 'm').kind).toBe('manifest');
  expect(parseImageDocument(bytes({ ...manifest, mediaType: undefined }), undefined, 'm').kind).toBe('manifest');
  expect(parseImageDocument(bytes({ ...index, mediaType: mediaTypes.dockerIndex }), mediaTypes.dockerIndex, 'i').kind).toBe('index');
});

test.each<[string, unknown, string | undefined, string]>([
  ['both', { ...manifest, manifests: [] }, undefined, 'm: it is both a manifest and an index'],
  ['both, empty', { ...index, layers: [] }, undefined, 'm: it is both a manifest and an index'],
  ['neither', { schemaVersion: 2 }, undefined, 'm: it is neither a manifest nor an index'],
  [
    'an index said to be a manifest',
    { ...index, mediaType: undefined },
    mediaTypes.ociManifest,
    `m: its content is not of media type ${mediaTypes.ociManifest}`,
  ],
  [
    'a manifest that calls itself an index',
    { ...manifest, mediaType: mediaTypes.ociIndex },
    undefined,
    `m: its content is not of media type ${mediaTypes.ociIndex}`,
  ],
  ['another family', manifest, mediaTypes.dockerManifest, `m: it names media type ${mediaTypes.ociManifest}, but was given as ${mediaTypes.dockerManifest}`],
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, undefined, 'm: schema version 1 is not supported'],
  ['a version beyond 2^53', '{"schemaVersion": 9007199254740993}', undefined, 'm: schema version 9007199254740993 is not supported'],
  ['a path as digest', { ...manifest, config: { ...blob, digest: 'sha256:../../x' } }, undefined, 'm: config: digest "sha256:../../x" is not one'],
  ['a negative size', { ...manifest, layers: [{ ...blob, size: -1 }] }, undefined, 'm: layers[0]: size is not a number of bytes'],
  ['a huge size', { ...manifest, layers: [{ ...blob, size: 1e300 }] }, undefined, 'm: layers[0]: size is not a number of bytes'],
  ['no list', { ...manifest, layers: {} }, undefined, 'm: layers: not a list'],
  ['too many layers', { ...manifest, layers: Array(5000).fill(blob) }, undefined, 'm: layers: 5000 entries, at most 4096 are allowed'],
  ['a list', [], undefined, 'm: not a JSON object'],
])('%s is refused', (_name, document, mediaType, message) => {
  expect(() => parseImageDocument(bytes(document), mediaType, 'm')).toThrow(new Error(message));
});

test('bytes that are no UTF-8 are refused', () => {
  expect(() => parseImageDocument(Buffer.from([0x7b, 0xff, 0x7d]), undefined, 'm')).toThrow(new Error('m is not UTF-8'));
});

const rootfs = { type: 'layers', diff_ids: [digest] };

test.each<[string, unknown, string]>([
  ['no rootfs', {}, 'c: rootfs is not a list of layers with diff ids'],
  ['a bad diff id', { rootfs: { type: 'layers', diff_ids: ['sha256:1'] } }, 'c: rootfs is not a list of layers with diff ids'],
  ['a User that is a number', { rootfs, config: { User: 0 } }, 'c: config.User is not a text'],
  ['an Env of objects', { rootfs, config: { Env: [{}] } }, 'c: config.Env is not a list of texts'],
  ['a label that is a number', { rootfs, config: { Labels: { a: 1 } } }, 'c: config.Labels has a value that is not a text'],
])('a configuration with %s is refused', (_name, config, message) => {
  expect(() => parseImageConfig(bytes(config), 'c')).toThrow(new Error(message));
});

test('null lists, as Go writes them, and a label named __proto__ are fine', () => {
  const config = parseImageConfig(
    bytes(`{"os":"linux","architecture":"amd64","rootfs":${JSON.stringify(rootfs)},"config":{"Cmd":null,"Labels":{"__proto__":"x"}}}`),
    'c',
  );
  expect(Object.entries(config.config?.Labels ?? {})).toEqual([['__proto__', 'x']]);
});

test.each([
  'sha256:',
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'0'.repeat(63)}`,
  `md5:${'0'.repeat(32)}`,
  `sha256:${'0'.repeat(64)}\n`,
  'sha256:../../etc/passwd',
])('%p is no digest', (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(`invalid digest ${JSON.stringify(text)}`);
});

test('chain ids', () => {
  const [one, two] = [digestOf('1'), digestOf('2')];
  expect(chainIds([one, two])).toEqual([one, digestOf(`${one} ${two}`)]);
  expect(chainIds([])).toEqual([]);
});
