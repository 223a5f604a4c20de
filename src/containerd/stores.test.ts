import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  containers,
  content,
  DataSchema,
  diff,
  events,
  ImageExportStreamSchema,
  ImageImportStreamSchema,
  ImageStoreSchema,
  images,
  leases,
  ProgressSchema,
  sandbox,
  snapshots,
  transfer,
  WindowUpdateSchema,
} from '../api/containerd/index.ts';
import { rejection } from '../core/fixtures.ts';
import { digestOf, mediaTypes } from '../oci/index.ts';
import { packAny, unpackAny } from './any.ts';
import { openStream, startTestServer, type TestServer } from './fixtures-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type WriteMessage = MessageInitShape<typeof content.WriteContentRequestSchema>;
const { STAT, WRITE, COMMIT } = content.WriteAction;

/** Sends all and gives what came back. */
async function write(namespace: string, messages: readonly WriteMessage[], lease?: string): Promise<readonly content.WriteContentResponse[]> {
  const client = server.in(namespace, lease).client(content.Content);
  return await Array.fromAsync(
    client.write(
      (async function* () {
        yield* messages;
      })(),
    ),
  );
}

async function put(namespace: string, text: string, labels: Record<string, string> = {}, lease?: string): Promise<string> {
  const data = Buffer.from(text);
  await write(namespace, [{ action: COMMIT, ref: `put ${text}`, data, total: BigInt(data.length), expected: digestOf(data), labels }], lease);
  return digestOf(data);
}

async function read(namespace: string, digest: string, part: { readonly offset?: bigint; readonly size?: bigint } = {}): Promise<string> {
  const client = server.in(namespace).client(content.Content);
  return Buffer.concat((await Array.fromAsync(client.read({ digest, ...part }))).map(({ data }) => data)).toString();
}

test('a blob is written in parts, with how far it is and what it hashes to at each', async () => {
  const [stat, one, two, done] = await write('write', [
    { action: STAT, ref: 'r', total: 6n },
    { action: WRITE, ref: 'r', data: Buffer.from('one') },
    { action: WRITE, ref: 'r', offset: 3n, data: Buffer.from('two') },
    { action: COMMIT, ref: 'r', offset: 6n, total: 6n, expected: digestOf('onetwo'), labels: { a: 'b', empty: '' } },
  ]);
  expect([stat?.offset, stat?.total, stat?.digest]).toEqual([0n, 6n, digestOf('')]);
  expect([one?.offset, one?.digest, two?.offset, two?.digest]).toEqual([3n, digestOf('one'), 6n, digestOf('onetwo')]);
  expect([done?.action, done?.digest]).toEqual([COMMIT, digestOf('onetwo')]);
  const { info } = await server
    .in('write')
    .client(content.Content)
    .info({ digest: digestOf('onetwo') });
  expect([info?.size, { ...info?.labels }]).toEqual([6n, { a: 'b' }]);
});

test('an ingest that was broken off is gone on with, by its ref; from the beginning when the client says so', async () => {
  await write('resume', [{ action: WRITE, ref: 'r', data: Buffer.from('one') }]);
  const client = server.in('resume').client(content.Content);
  expect((await client.status({ ref: 'r' })).status?.offset).toBe(3n);
  expect((await client.listStatuses({ filters: ['ref==r'] })).statuses.length).toBe(1);
  const [stat] = await write('resume', [{ action: STAT, ref: 'r' }]);
  expect([stat?.offset, stat?.digest]).toEqual([3n, digestOf('one')]);
  expect(await rejection(write('resume', [{ action: WRITE, ref: 'r', offset: 2n, data: Buffer.from('x') }]))).toBe(
    'OutOfRange: write @2 must occur at current offset 3',
  );
  const [again] = await write('resume', [{ action: COMMIT, ref: 'r', data: Buffer.from('anew') }]);
  expect(again?.digest).toBe(digestOf('anew'));
  expect(await rejection(client.status({ ref: 'r' }))).toStartWith('NotFound: could not get status for ref "r"');
});

test.each([
  ['no ref', { action: STAT }, 'InvalidArgument: first message must have a reference'],
  ['no digest', { action: STAT, ref: 'r', expected: 'sha256:x' }, 'InvalidArgument: "sha256:x" failed validation'],
  [
    'another digest',
    { action: COMMIT, ref: 'r', data: Buffer.from('x'), expected: digestOf('y') },
    `FailedPrecondition: unexpected commit digest ${digestOf('x')}, expected ${digestOf('y')}`,
  ],
  ['another size', { action: COMMIT, ref: 'r', data: Buffer.from('x'), total: 2n }, 'FailedPrecondition: "r" failed size validation: 1 != 2'],
])('a write with %s is refused', async (_name, message, text) => {
  expect(await rejection(write('refused', [message]))).toBe(text);
});

test('what was refused is kept, and gone on with', async () => {
  const client = server.in('kept').client(content.Content);
  const expected = digestOf('threefour');
  const refused = write('kept', [{ action: COMMIT, ref: 'r', data: Buffer.from('three'), expected, total: 9n }]);
  expect(await rejection(refused)).toBe('FailedPrecondition: "r" failed size validation: 5 != 9');
  expect((await client.listStatuses({})).statuses.map(({ ref, offset }) => [ref, offset])).toEqual([['r', 5n]]);
  const [done] = await write('kept', [{ action: COMMIT, ref: 'r', offset: 5n, data: Buffer.from('four'), expected, total: 9n }]);
  expect(done?.digest).toBe(expected);
  expect((await client.listStatuses({})).statuses).toEqual([]);
  // Of another size it is another one.
  await write('kept', [{ action: WRITE, ref: 's', data: Buffer.from('five'), total: 6n }]);
  const [anew] = await write('kept', [{ action: STAT, ref: 's', total: 7n }]);
  expect([anew?.offset, anew?.total]).toEqual([0n, 7n]);
});

test('what is there is AlreadyExists, whether the client knows its digest before or only at the end', async () => {
  const digest = await put('exists', 'there');
  expect(await rejection(put('exists', 'there'))).toBe(`AlreadyExists: content ${digest}`);
  const data = Buffer.from('there');
  expect(
    await rejection(
      write('exists', [
        { action: WRITE, ref: 'r', data },
        { action: COMMIT, ref: 'r', offset: 5n, expected: digest },
      ]),
    ),
  ).toBe(`AlreadyExists: blob with expected digest ${digest} exists`);
  expect(await rejection(write('exists', [{ action: COMMIT, ref: 'r', data }]))).toBe(`AlreadyExists: content ${digest}`);
  expect((await server.in('exists').client(content.Content).listStatuses({})).statuses).toEqual([]);
});

test('a blob is read in parts, and is seen in its namespace alone', async () => {
  const digest = await put('read', '0123456789');
  expect(await read('read', digest)).toBe('0123456789');
  expect(await read('read', digest, { offset: 3n, size: 4n })).toBe('3456');
  expect(await read('read', digest, { offset: 8n, size: 100n })).toBe('89');
  expect(await read('read', digest, { offset: 10n })).toBe('');
  expect(await rejection(read('read', digest, { offset: 11n }))).toBe('OutOfRange: read past object length 10 bytes');
  expect(await rejection(read('elsewhere', digest))).toBe(`NotFound: content digest ${digest}`);
});

test('labels by field masks', async () => {
  const digest = await put('labels', 'x', { a: '1', b: '2' });
  const client = server.in('labels').client(content.Content);
  const update = async (labels: Record<string, string>, paths?: string[]) => {
    const { info } = await client.update({ info: { digest, labels }, ...(paths === undefined ? {} : { updateMask: { paths } }) });
    return { ...info?.labels };
  };
  expect(await update({ a: '3', c: '4' }, ['labels.a', 'labels.b'])).toEqual({ a: '3' });
  expect(await update({ 'x.y/z': '5' }, ['labels.x.y/z'])).toEqual({ a: '3', 'x.y/z': '5' });
  expect(await update({ d: '6' })).toEqual({ d: '6' });
  expect(await rejection(update({}, ['size']))).toBe(`InvalidArgument: cannot update "size" field on content info "${digest}"`);
  expect((await Array.fromAsync(client.list({ filters: ['labels.d==6'] }))).flatMap(({ info }) => info.map(({ digest: found }) => found))).toEqual([digest]);
});

test('a call without a namespace, or with a lease that is not there', async () => {
  expect(await rejection(server.in('').client(images.Images).list({}))).toBe('FailedPrecondition: namespace is required');
  expect(await rejection(put('leases', 'y', {}, 'none'))).toBe('NotFound: lease does not exist');
});

test('what is made under a lease stays until that is deleted', async () => {
  const client = server.in('leases').client(leases.Leases);
  await client.create({ id: 'mine', labels: { a: 'b' } });
  const digest = await put('leases', 'kept', {}, 'mine');
  await server.in('leases', 'mine').client(snapshots.Snapshots).prepare({ snapshotter: 'overlayfs', key: 's' });
  await server.core.collectGarbage();
  expect((await client.listResources({ id: 'mine' })).resources.map(({ type, id }) => `${type} ${id}`)).toEqual([`content ${digest}`, 'snapshots/overlayfs s']);
  expect((await client.list({ filters: ['labels.a==b'] })).leases.map(({ id }) => id)).toEqual(['mine']);
  await client.delete({ id: 'mine', sync: true });
  expect(await rejection(read('leases', digest))).toBe(`NotFound: content digest ${digest}`);
  expect(await rejection(client.delete({ id: 'mine' }))).toBe('NotFound: lease "mine"');
});

test('images: created once, updated by masks, deleted if they are what they were', async () => {
  const client = server.in('images').client(images.Images);
  const digest = await put('images', '{}');
  const target = { mediaType: mediaTypes.ociManifest, digest, size: 2n, annotations: { one: '1', two: '2' } };
  const { image } = await client.create({ image: { name: 'a', target, labels: { l: 'm' } } });
  expect([image?.target?.size, { ...image?.target?.annotations }, { ...image?.labels }]).toEqual([2n, { one: '1', two: '2' }, { l: 'm' }]);
  expect(await rejection(client.create({ image: { name: 'a', target } }))).toBe('AlreadyExists: image "a"');
  const masked = await client.update({
    image: { name: 'a', labels: { n: 'o' }, target: { annotations: { one: '3' } } },
    updateMask: { paths: ['labels.n', 'annotations.one'] },
  });
  expect([{ ...masked.image?.labels }, { ...masked.image?.target?.annotations }]).toEqual([
    { l: 'm', n: 'o' },
    { one: '3', two: '2' },
  ]);
  expect((await client.list({ filters: [`target.digest==${digest}`, 'name==none'] })).images.map(({ name }) => name)).toEqual(['a']);
  for (const [change, text] of [
    [{ name: '', target }, 'InvalidArgument: Image.Name required'],
    [{ name: 'b', target: { ...target, size: 0n } }, 'InvalidArgument: Target.Size must be greater than zero'],
    [{ name: 'b', target: { ...target, mediaType: '' } }, 'InvalidArgument: Target.MediaType must be set'],
  ] as const)
    expect(await rejection(client.create({ image: change }))).toBe(text);
  const other = digestOf('other');
  expect(await rejection(client.delete({ name: 'a', target: { digest: other } }))).toBe(`NotFound: image "a" has target ${digest}, not ${other}`);
  await client.delete({ name: 'a', target: { digest } });
  expect(await rejection(client.get({ name: 'a' }))).toBe('NotFound: image "a"');
});

test('containers: what they are made with comes back as it was, and only some of it changes', async () => {
  const client = server.in('containers').client(containers.Containers);
  const spec = { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec', value: Buffer.from('{"ociVersion":"1.2.0"}') };
  const extension = { typeUrl: 'x', value: new Uint8Array([0, 255]) };
  const container = {
    id: 'c',
    image: 'i',
    runtime: { name: 'io.containerd.runc.v2', options: extension },
    spec,
    snapshotter: 'overlayfs',
    snapshotKey: 'k',
    sandbox: 's',
    extensions: { e: extension },
  };
  const { container: made } = await client.create({ container });
  expect([made?.runtime?.name, made?.runtime?.options?.value, made?.spec?.typeUrl, made?.sandbox, made?.extensions['e']?.value]).toEqual([
    'io.containerd.runc.v2',
    extension.value,
    spec.typeUrl,
    's',
    extension.value,
  ]);
  const { container: changed } = await client.update({
    container: { id: 'c', labels: { a: 'b' }, snapshotKey: 'other' },
    updateMask: { paths: ['labels.a', 'snapshotkey'] },
  });
  expect([{ ...changed?.labels }, changed?.snapshotKey, changed?.image]).toEqual([{ a: 'b' }, 'other', 'i']);
  expect(await rejection(client.update({ container: { ...container, runtime: { name: 'x' } } }))).toBe(
    'InvalidArgument: container.Runtime.Name field is immutable',
  );
  expect(await rejection(client.update({ container, updateMask: { paths: ['runtime'] } }))).toBe('InvalidArgument: cannot update "runtime" field on "c"');
  expect((await Array.fromAsync(client.listStream({ filters: ['runtime.name==io.containerd.runc.v2'] }))).map(({ container: found }) => found?.id)).toEqual([
    'c',
  ]);
  await client.delete({ id: 'c' });
  expect(await rejection(client.get({ id: 'c' }))).toStartWith('NotFound: container "c"');
});

test('sandboxes: stored, changed by fields, listed', async () => {
  const client = server.in('sandboxes').client(sandbox.Store);
  await client.create({ sandbox: { sandboxId: 's', runtime: { name: 'r' }, sandboxer: 'shim', labels: { a: 'b' } } });
  const { sandbox: changed } = await client.update({ sandbox: { sandboxId: 's', labels: { c: 'd' } }, fields: ['labels.c'] });
  expect([{ ...changed?.labels }, changed?.sandboxer]).toEqual([{ a: 'b', c: 'd' }, 'shim']);
  expect(await rejection(client.update({ sandbox: { sandboxId: 's', runtime: { name: 'x' } } }))).toBe(
    'InvalidArgument: sandbox.Runtime.Name field is immutable',
  );
  expect((await client.list({ filters: ['labels.c==d'] })).list.map(({ sandboxId }) => sandboxId)).toEqual(['s']);
  await client.delete({ sandboxId: 's' });
  expect(await rejection(client.get({ sandboxId: 's' }))).toStartWith('NotFound: ');
});

test('snapshots and layers: what is applied is seen, and what was changed is a layer', async () => {
  const store = server.in('snapshots').client(snapshots.Snapshots);
  const layers = server.in('snapshots').client(diff.Diff);
  const empty = gzipSync(Buffer.alloc(1024));
  const data = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(empty), size: BigInt(empty.length) };
  await write('snapshots', [{ action: COMMIT, ref: 'empty', data: empty }]);
  const snapshotter = 'overlayfs';
  const { mounts } = await store.prepare({ snapshotter, key: 'one' });
  const { applied } = await layers.apply({ diff: data, mounts });
  expect([applied?.digest, applied?.size, applied?.mediaType]).toEqual([digestOf(Buffer.alloc(1024)), 1024n, mediaTypes.ociLayer]);
  writeFileSync(path.join(mounts[0]?.source ?? '', 'file'), 'x');
  await store.commit({ snapshotter, key: 'one', name: 'base', labels: { a: 'b' } });
  const { mounts: above } = await store.prepare({ snapshotter, key: 'two', parent: 'base' });
  const upper = above[0]?.options.find((option) => option.startsWith('upperdir='))?.slice(9) ?? '';
  writeFileSync(path.join(upper, 'other'), 'y');
  const { mounts: below } = await store.view({ snapshotter, key: 'view', parent: 'base' });
  const { diff: made } = await layers.diff({ left: below, right: above, ref: 'named', labels: { c: 'd' } });
  const { info } = await server
    .in('snapshots')
    .client(content.Content)
    .info({ digest: made?.digest ?? '' });
  expect([made?.mediaType, info?.size, info?.labels['c'], Object.keys(info?.labels ?? {}).length]).toEqual([mediaTypes.ociLayerGzip, made?.size, 'd', 2]);
  const { mounts: third } = await store.prepare({ snapshotter, key: 'three', parent: 'base' });
  await layers.apply({ diff: made as never, mounts: third, syncFs: true });
  const unpacked = third[0]?.options.find((option) => option.startsWith('upperdir='))?.slice(9) ?? '';
  expect([existsSync(path.join(unpacked, 'other')), existsSync(path.join(unpacked, 'file'))]).toEqual([true, false]);
  // With a source date epoch what is newer has that time.
  utimesSync(path.join(upper, 'other'), 3, 3);
  writeFileSync(path.join(upper, 'new'), 'z');
  const { diff: dated } = await layers.diff({ left: below, right: above, sourceDateEpoch: { seconds: 5n, nanos: 7 } });
  await layers.apply({ diff: dated as never, mounts: third });
  const times = ['other', 'new'].map((name) => statSync(path.join(unpacked, name), { bigint: true }).mtimeNs);
  expect(times).toEqual([3_000_000_000n, 5_000_000_007n]);
  const listed = (await Array.fromAsync(store.list({ snapshotter }))).flatMap(({ info: found }) =>
    found.map(({ name, parent, kind }) => `${name} ${parent} ${kind}`),
  );
  expect(listed).toEqual(['base  3', 'three base 2', 'two base 2', 'view base 1']);
  expect(await rejection(store.prepare({ snapshotter, key: 'x', labels: { 'containerd.io/snapshot.ref': 'base' } }))).toBe(
    'AlreadyExists: target snapshot "base"',
  );
  expect(await rejection(store.stat({ snapshotter: 'zfs', key: 'base' }))).toBe('InvalidArgument: snapshotter not loaded: zfs');
  expect((await store.update({ snapshotter, info: { name: 'base', labels: { e: 'f' } }, updateMask: { paths: ['labels.e'] } })).info?.labels).toMatchObject({
    a: 'b',
    e: 'f',
  });
});

test('events: what happens in the stores, and what clients publish, by filter', async () => {
  const client = server.in('events').client(events.Events);
  const leave = new AbortController();
  const seen = client.subscribe({ filters: ['topic~="^/(images|mine)/",namespace==events'] }, { signal: leave.signal })[Symbol.asyncIterator]();
  const next = seen.next();
  // The subscription has begun once an event of it arrives: the first ones may come before.
  const event = { typeUrl: 'unknown.Type', value: new Uint8Array([1]) };
  const publishing = (async () => {
    for (;;) {
      await client.publish({ topic: '/mine/x', event });
      if (await Promise.race([next.then(() => true), new Promise((resolve) => setTimeout(resolve, 5))])) return;
    }
  })();
  await publishing;
  expect((await next).value).toMatchObject({ topic: '/mine/x', namespace: 'events', event });
  const digest = await put('events', '{}');
  await server
    .in('events')
    .client(images.Images)
    .create({ image: { name: 'i', target: { mediaType: mediaTypes.ociManifest, digest, size: 2n } } });
  let found = await seen.next();
  while (found.value?.topic === '/mine/x') found = await seen.next();
  expect([found.value?.topic, found.value?.event?.typeUrl]).toEqual(['/images/create', 'containerd.services.images.v1.ImageCreate']);
  expect(await rejection(client.publish({ topic: 'no-slash', event }))).toStartWith('InvalidArgument: ');
  leave.abort();
});

test('an image goes out as an archive and comes in again under a prefix', async () => {
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }));
  const described = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: described(mediaTypes.ociConfig, config),
      layers: [described(mediaTypes.ociLayer, layer)],
    }),
  );
  for (const blob of [layer, config, manifest]) await write('transfer', [{ action: COMMIT, ref: digestOf(blob), data: blob }]);
  const client = server.in('transfer').client(images.Images);
  await client.create({ image: { name: 'local/a:1', target: { ...described(mediaTypes.ociManifest, manifest), size: BigInt(manifest.length) } } });

  const transfers = server.in('transfer').client(transfer.Transfer);
  const [out, progress] = [await openStream(server, 'transfer', 'out'), await openStream(server, 'transfer', 'progress')];
  progress.send(undefined);
  const steps = (async () => {
    const told: string[] = [];
    for (let next = await progress.incoming.next(); next.done !== true; next = await progress.incoming.next())
      told.push(unpackAny(next.value, ProgressSchema)?.event ?? '');
    return told;
  })();
  out.send(packAny(WindowUpdateSchema, { update: 1 << 20 }));
  out.send(undefined);
  const exported = transfers.transfer({
    source: packAny(ImageStoreSchema, { extraReferences: [{ name: 'local/a:1' }] }),
    destination: packAny(ImageExportStreamSchema, { stream: 'out' }),
    options: { progressStream: 'progress' },
  });
  const archive: Uint8Array[] = [];
  for (let next = await out.incoming.next(); next.done !== true; next = await out.incoming.next())
    archive.push(unpackAny(next.value, DataSchema)?.data ?? new Uint8Array());
  await exported;
  expect(await steps).toEqual(['Exporting', 'Completed export']);

  await client.delete({ name: 'local/a:1', sync: true });
  const into = await openStream(server, 'transfer', 'in');
  for (const data of archive) into.send(packAny(DataSchema, { data }));
  into.send(undefined);
  await transfers.transfer({
    source: packAny(ImageImportStreamSchema, { stream: 'in' }),
    destination: packAny(ImageStoreSchema, {
      extraReferences: [{ name: 'local/a', isPrefix: true, addDigest: true }],
      unpacks: [{ platform: { os: 'linux', architecture: 'amd64' } }],
    }),
  });
  expect((await client.list({})).images.map(({ name }) => name)).toEqual(['local/a:1', `local/a@${digestOf(manifest)}`]);
  const unpacked = await Array.fromAsync(server.in('transfer').client(snapshots.Snapshots).list({ snapshotter: 'overlayfs' }));
  expect(unpacked.flatMap(({ info }) => info.map(({ name }) => name))).toEqual([digestOf(layer)]);
  const again = await openStream(server, 'transfer', 'again');
  for (const data of archive) again.send(packAny(DataSchema, { data }));
  again.send(undefined);
  await transfers.transfer({
    source: packAny(ImageImportStreamSchema, { stream: 'again', forceCompress: true }),
    destination: packAny(ImageStoreSchema, { name: 'packed' }),
  });
  const packed = (await client.get({ name: 'packed' })).image?.target?.digest ?? '';
  expect(JSON.parse(await read('transfer', packed)).layers[0].mediaType).toBe(mediaTypes.ociLayerGzip);
  expect(
    await rejection(transfers.transfer({ source: packAny(ImageImportStreamSchema, { stream: 'gone' }), destination: packAny(ImageStoreSchema, {}) })),
  ).toBe('NotFound: stream "gone"');
  expect(await rejection(transfers.transfer({ source: packAny(DataSchema, {}) }))).toBe('Unimplemented: unable to transfer from unknown to unknown');
});
