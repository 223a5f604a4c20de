import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { digestOf, mediaTypes } from '../oci/index.ts';
import { errorCodes, startTestRegistry, type TestRegistry } from './fixtures-registry.ts';

const blobFiles = (registry: TestRegistry) => readdirSync(path.join(registry.root, 'content/blobs/sha256'));

async function startUpload(registry: TestRegistry, repository = 'a'): Promise<string> {
  const { status, headers } = await registry.fetch(`${repository}/blobs/uploads/`, { method: 'POST' });
  expect(status).toBe(202);
  return (headers.get('location') ?? '').replace('/v2/', '');
}

test('a blob in one request, and parts of it', async () => {
  await using registry = await startTestRegistry();
  const digest = await registry.pushBlob('a', 'hello world');
  const whole = await registry.fetch(`a/blobs/${digest}`);
  expect([whole.status, await whole.text(), whole.headers.get('docker-content-digest'), whole.headers.get('content-length')]).toEqual([
    200,
    'hello world',
    digest,
    '11',
  ]);
  const head = await registry.fetch(`a/blobs/${digest}`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '11', '']);
  const part = await registry.fetch(`a/blobs/${digest}`, { headers: { range: 'bytes=6-' } });
  expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, 'world', 'bytes 6-10/11']);
  const beyond = await registry.fetch(`a/blobs/${digest}`, { headers: { range: 'bytes=11-' } });
  expect([beyond.headers.get('content-range'), await errorCodes(beyond)]).toEqual(['bytes */11', '416 RANGE_INVALID']);
  expect((await registry.fetch(`a/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } })).status).toBe(304);
  expect(await errorCodes(await registry.fetch(`b/blobs/${digest}`))).toBe('404 BLOB_UNKNOWN');
});

test('chunks: in order, and the client is told where the upload is', async () => {
  await using registry = await startTestRegistry();
  const upload = await startUpload(registry);
  const patch = async (range: string, body: string) => await registry.fetch(upload, { method: 'PATCH', body, headers: { 'content-range': range } });
  expect((await patch('0-4', 'hello')).headers.get('range')).toBe('0-4');
  const early = await patch('6-10', 'world');
  expect([early.headers.get('range'), await errorCodes(early)]).toEqual(['0-4', '416 RANGE_INVALID']);
  expect(await errorCodes(await patch('5-6', 'too long'))).toBe('400 SIZE_INVALID');
  expect(await errorCodes(await patch('x', ' '))).toBe('400 BLOB_UPLOAD_INVALID');
  const status = await registry.fetch(upload);
  expect([status.status, status.headers.get('range')]).toEqual([204, '0-4']);
  const end = await registry.fetch(`${upload}?digest=${digestOf('hello world')}`, { method: 'PUT', body: ' world', headers: { 'content-range': '5-10' } });
  expect([end.status, end.headers.get('location')]).toEqual([201, `/v2/a/blobs/${digestOf('hello world')}`]);
  expect(await (await registry.fetch(`a/blobs/${digestOf('hello world')}`)).text()).toBe('hello world');
  expect(await errorCodes(await registry.fetch(upload))).toBe('404 BLOB_UPLOAD_UNKNOWN');
});

test('an upload that broke off goes on where it was, also after a restart', async () => {
  await using first = await startTestRegistry();
  const upload = await startUpload(first);
  const socket = net.connect(Number(new URL(first.url).port), '127.0.0.1');
  socket.end(`PATCH /v2/${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello`);
  socket.resume();
  await once(socket, 'close');
  const next = await first.fetch(upload, { method: 'PATCH', body: ' w', headers: { 'content-range': '5-6' } });
  expect([next.status, next.headers.get('range')]).toEqual([202, '0-6']);
  await first.storage.uploads.close();
  await using second = await startTestRegistry({ root: first.root });
  expect((await second.fetch(upload)).headers.get('range')).toBe('0-6');
  const end = await second.fetch(`${upload}?digest=${digestOf('hello world', 'sha512')}`, { method: 'PUT', body: 'orld' });
  expect(end.status).toBe(201);
  expect(await (await second.fetch(`a/blobs/${digestOf('hello world', 'sha512')}`)).text()).toBe('hello world');
});

test('a request ends the one before it on the same upload: its client may be gone without a word', async () => {
  await using registry = await startTestRegistry();
  const upload = await startUpload(registry);
  const socket = net.connect(Number(new URL(registry.url).port), '127.0.0.1');
  socket.write(`PATCH /v2/${upload} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n`);
  const [goOn] = await once(socket, 'data');
  expect(String(goOn)).toStartWith('HTTP/1.1 100');
  const refused = once(socket, 'data');
  const end = await registry.fetch(`${upload}?digest=${digestOf('x')}`, { method: 'PUT', body: 'x' });
  expect(end.status).toBe(201);
  expect(String(await refused)).toContain('is gone on with by another request');
  socket.destroy();
});

test('a wrong digest keeps nothing; a cancelled upload is gone', async () => {
  await using registry = await startTestRegistry();
  expect(await errorCodes(await registry.fetch(`a/blobs/uploads/?digest=${digestOf('x')}`, { method: 'POST', body: 'y' }))).toBe('400 DIGEST_INVALID');
  const upload = await startUpload(registry);
  expect(await errorCodes(await registry.fetch(`${upload}?digest=${digestOf('x')}`, { method: 'PUT', body: 'y' }))).toBe('400 DIGEST_INVALID');
  const other = await startUpload(registry);
  await registry.fetch(other, { method: 'PATCH', body: 'x' });
  expect(await errorCodes(await registry.fetch(other.replace('a/', 'b/')))).toBe('404 BLOB_UPLOAD_UNKNOWN');
  expect((await registry.fetch(other, { method: 'DELETE' })).status).toBe(204);
  expect(await errorCodes(await registry.fetch(other, { method: 'DELETE' }))).toBe('404 BLOB_UPLOAD_UNKNOWN');
  expect([await registry.content.ingests(), blobFiles(registry), registry.storage.uploads.count()]).toEqual([[], [], 0]);
});

test('what nobody goes on with expires', async () => {
  let now = new Date('2026-01-01T00:00:00Z');
  await using registry = await startTestRegistry({ now: () => now });
  await registry.fetch(await startUpload(registry), { method: 'PATCH', body: 'old' });
  now = new Date('2026-01-02T00:00:00Z');
  const young = await startUpload(registry);
  {
    // What a killed process leaves: an ingest that no upload knows of.
    now = new Date('2026-01-01T00:00:00Z');
    await using writer = await registry.content.writer({ ref: 'cache-x' });
    await writer.write(Buffer.from('left'));
    now = new Date('2026-01-02T00:00:00Z');
    expect(await registry.storage.uploads.expire(new Date('2026-01-01T12:00:00Z'))).toBe(1);
    expect((await registry.content.ingests()).map(({ ref }) => ref)).toEqual(['cache-x']);
  }
  expect(await registry.storage.uploads.expire(new Date('2026-01-01T12:00:00Z'))).toBe(1);
  expect([(await registry.fetch(young)).status, await registry.content.ingests()]).toEqual([204, []]);
});

test('more uploads at a time than are kept open', async () => {
  await using registry = await startTestRegistry();
  const uploads = await Promise.all(Array.from({ length: 150 }, () => startUpload(registry)));
  const part = (index: number) => `part of ${index} `;
  for (const [index, upload] of uploads.entries()) await registry.fetch(upload, { method: 'PATCH', body: part(index) });
  const ends = uploads.map(async (upload, index) => await registry.fetch(`${upload}?digest=${digestOf(`${part(index)}end`)}`, { method: 'PUT', body: 'end' }));
  expect((await Promise.all(ends)).every(({ status }) => status === 201)).toBe(true);
});

test('mount: from a repository that has it, else an upload', async () => {
  await using registry = await startTestRegistry();
  const digest = await registry.pushBlob('a', 'x');
  const mount = async (query: string) => (await registry.fetch(`b/blobs/uploads/?mount=${digest}${query}`, { method: 'POST' })).status;
  expect([await mount('&from=c'), await mount('&from=a'), await mount('')]).toEqual([202, 201, 201]);
  expect(blobFiles(registry)).toHaveLength(1);
  expect((await registry.fetch(`a/blobs/${digest}`, { method: 'DELETE' })).status).toBe(202);
  expect([(await registry.fetch(`a/blobs/${digest}`)).status, (await registry.fetch(`b/blobs/${digest}`)).status]).toEqual([404, 200]);
});

test('manifests by tag and by digest; what they name has to be there', async () => {
  await using registry = await startTestRegistry();
  const pushed = await registry.pushImage('a', 'v1', ['layer']);
  const digest = pushed.headers.get('docker-content-digest') ?? '';
  expect([pushed.status, pushed.headers.get('location')]).toEqual([201, `/v2/a/manifests/${digest}`]);
  for (const reference of ['v1', digest]) {
    const got = await registry.fetch(`a/manifests/${reference}`);
    expect([got.headers.get('content-type'), digestOf(new Uint8Array(await got.arrayBuffer()))]).toEqual([mediaTypes.ociManifest, digest]);
  }
  expect(await errorCodes(await registry.fetch('a/manifests/v2'))).toBe('404 MANIFEST_UNKNOWN');
  expect(await errorCodes(await registry.fetch('b/manifests/v1'))).toBe('404 NAME_UNKNOWN');
  const put = async (body: string, type: string = mediaTypes.ociManifest, reference = 'bad') =>
    await errorCodes(await registry.fetch(`a/manifests/${reference}`, { method: 'PUT', body, headers: { 'content-type': type } }));
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf('missing'), size: 7 };
  const manifest = { schemaVersion: 2, config: descriptor, layers: [] };
  expect(await put(JSON.stringify(manifest))).toBe('400 MANIFEST_BLOB_UNKNOWN');
  expect(await put(JSON.stringify(manifest), mediaTypes.ociManifest, digestOf('other'))).toBe('400 DIGEST_INVALID');
  expect(await put(JSON.stringify({ ...manifest, manifests: [] }))).toBe('400 MANIFEST_INVALID');
  expect(await put(JSON.stringify({ ...manifest, mediaType: mediaTypes.dockerManifest }))).toBe('400 MANIFEST_INVALID');
  expect(await put('{}')).toBe('400 MANIFEST_INVALID');
  expect(await put(' '.repeat((4 << 20) + 1))).toBe('413 MANIFEST_TOO_LARGE');
  expect(await put(JSON.stringify(manifest), mediaTypes.ociManifest, '-tag')).toBe('400 TAG_INVALID');
});

test('deleting a tag leaves the manifest; deleting the manifest takes its tags', async () => {
  await using registry = await startTestRegistry();
  await registry.pushImage('a', 'v1', ['layer']);
  const digest = (await registry.pushImage('a', 'v2', ['layer'])).headers.get('docker-content-digest');
  const tags = async () => ((await (await registry.fetch('a/tags/list')).json()) as { tags: string[] }).tags;
  expect(await tags()).toEqual(['v1', 'v2']);
  expect((await registry.fetch('a/manifests/v1', { method: 'DELETE' })).status).toBe(202);
  expect([await tags(), (await registry.fetch(`a/manifests/${digest}`)).status]).toEqual([['v2'], 200]);
  expect((await registry.fetch(`a/manifests/${digest}`, { method: 'DELETE' })).status).toBe(202);
  expect([await tags(), await errorCodes(await registry.fetch('a/manifests/v2'))]).toEqual([[], '404 MANIFEST_UNKNOWN']);
  expect(await errorCodes(await registry.fetch(`a/manifests/${digest}`, { method: 'DELETE' }))).toBe('404 MANIFEST_UNKNOWN');
});

test('listings come in pages', async () => {
  await using registry = await startTestRegistry();
  for (const [repository, tag] of [
    ['b', 'v1'],
    ['a', 'B'],
    ['a', 'a'],
    ['a', 'c'],
  ] as const)
    await registry.pushImage(repository, tag, []);
  const pages = async (first: string, entries: string) => {
    const seen: unknown[] = [];
    for (let next: string | undefined = first; next !== undefined; ) {
      const response = await registry.fetch(next);
      seen.push(((await response.json()) as Record<string, unknown>)[entries]);
      next = /^<\/v2\/(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    }
    return seen;
  };
  expect(await pages('a/tags/list?n=2', 'tags')).toEqual([['B', 'a'], ['c']]);
  expect(await pages('a/tags/list?n=0', 'tags')).toEqual([[]]);
  expect(await pages('a/tags/list?last=a', 'tags')).toEqual([['c']]);
  expect(await pages('_catalog?n=1', 'repositories')).toEqual([['a'], ['b']]);
  expect(await errorCodes(await registry.fetch('_catalog?n=-1'))).toBe('400 PAGINATION_NUMBER_INVALID');
  expect(await errorCodes(await registry.fetch('c/tags/list'))).toBe('404 NAME_UNKNOWN');
});

test('referrers, by type', async () => {
  await using registry = await startTestRegistry();
  const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf('not there yet'), size: 1 };
  const pushed = await registry.pushImage('a', 'digest', ['sbom'], { subject, artifactType: 'application/sbom', annotations: { by: 'me' } });
  expect(pushed.headers.get('oci-subject')).toBe(subject.digest);
  await registry.pushImage('a', 'digest', ['sign'], { subject });
  const list = async (query: string) => {
    const response = await registry.fetch(`a/referrers/${subject.digest}${query}`);
    expect(response.headers.get('content-type')).toBe(mediaTypes.ociIndex);
    const { manifests } = (await response.json()) as { manifests: { artifactType: string; annotations?: object }[] };
    return [response.headers.get('oci-filters-applied'), manifests.map(({ artifactType, annotations }) => [artifactType, annotations])];
  };
  const sbom = ['application/sbom', { by: 'me' }];
  expect((await list(''))[1]).toContainAllValues([sbom, [mediaTypes.ociConfig, undefined]]);
  expect(await list('?artifactType=application/sbom')).toEqual(['artifactType', [sbom]]);
  expect(await list('?artifactType=x')).toEqual(['artifactType', []]);
  expect(await errorCodes(await registry.fetch('a/referrers/x'))).toBe('400 DIGEST_INVALID');
});

test('several tags with a push by digest', async () => {
  await using registry = await startTestRegistry();
  const digest = (await registry.pushImage('a', 'v1', [])).headers.get('docker-content-digest');
  const body = await (await registry.fetch('a/manifests/v1')).text();
  const put = async (query: string) => await registry.fetch(`a/manifests/${digest}${query}`, { method: 'PUT', body });
  expect((await put('?tag=1&tag=1.2')).headers.get('oci-tag')).toBe('1, 1.2');
  expect(await errorCodes(await put('?tag=/'))).toBe('400 TAG_INVALID');
  expect((await registry.fetch('a/manifests/1.2')).headers.get('docker-content-digest')).toBe(digest);
});

test('methods and paths that there are not', async () => {
  await using registry = await startTestRegistry();
  const response = await registry.fetch('a/manifests/x', { method: 'POST', body: 'x' });
  expect([response.headers.get('allow'), await errorCodes(response)]).toEqual(['GET, HEAD, PUT, DELETE', '405 UNSUPPORTED']);
  expect((await registry.fetch('a')).status).toBe(404);
  expect((await fetch(`${registry.url}/v1/`)).status).toBe(404);
  expect(await errorCodes(await registry.fetch('A/tags/list'))).toBe('400 NAME_INVALID');
});
