/** What a transfer does with registries, and with single layers. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  AuthRequestSchema,
  AuthResponseSchema,
  AuthType,
  DataSchema,
  ImageStoreSchema,
  images,
  MountSchema,
  OCIRegistrySchema,
  ProgressSchema,
  ReadStreamSchema,
  snapshots,
  transfer,
  WindowUpdateSchema,
  WriteStreamSchema,
} from '../../api/containerd/index.ts';
import { rejection } from '../../core/fixtures.ts';
import { writeTar } from '../../core/index.ts';
import { putImage, startTestRegistry, type TestRegistry } from '../../distribution/fixtures-registry.ts';
import { hostPlatform, mediaTypes } from '../../oci/index.ts';
import { packAny, unpackAny } from '../any.ts';
import { openStream, startTestServer, type TestServer } from '../fixtures-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const file = (name: string, content: string) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(content) });
const { os, architecture } = hostPlatform();
const snapshotter = 'overlayfs';

/** Answers with an image to whoever says `me:secret`. */
async function privateRegistry(): Promise<TestRegistry> {
  const registry = await startTestRegistry();
  registry.answer = (request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    return true;
  };
  return registry;
}

test('a pull asks the client who it is, tells what it does, unpacks, and gives the names', async () => {
  await using registry = await privateRegistry();
  const { manifest, diffIds } = putImage(registry, 'app', [[file('a', 'b')]]);
  const [auth, progress] = [await openStream(server, 'pull', 'auth'), await openStream(server, 'pull', 'progress')];
  progress.send(undefined);
  const told: { readonly event: string; readonly name: string; readonly parents: readonly string[] }[] = [];
  const telling = (async () => {
    for (let next = await progress.incoming.next(); next.done !== true; next = await progress.incoming.next()) {
      const step = unpackAny(next.value, ProgressSchema);
      if (step !== undefined) told.push(step);
    }
  })();
  const pulled = server
    .in('pull')
    .client(transfer.Transfer)
    .transfer({
      source: packAny(OCIRegistrySchema, { reference: `${registry.host}/app:latest`, resolver: { authStream: 'auth' } }),
      destination: packAny(ImageStoreSchema, {
        name: 'mine',
        labels: { a: 'b' },
        platforms: [{ os, architecture }],
        extraReferences: [
          { name: 'also', addDigest: true },
          { name: 'prefix', isPrefix: true },
        ],
        unpacks: [{ platform: { os, architecture }, snapshotter }],
      }),
      options: { progressStream: 'progress' },
    });
  const asked = unpackAny((await auth.incoming.next()).value, AuthRequestSchema);
  expect([asked?.host, asked?.reference]).toEqual([registry.host, `${registry.host}/app:latest`]);
  auth.send(packAny(AuthResponseSchema, { authType: AuthType.CREDENTIALS, username: 'me', secret: 'secret' }));
  auth.send(undefined);
  await pulled;
  await telling;
  const { images: stored } = await server.in('pull').client(images.Images).list({});
  expect(stored.map(({ name, target, labels }) => [name, target?.digest, labels['a']])).toEqual([
    [`also@${manifest.digest}`, manifest.digest, 'b'],
    ['mine', manifest.digest, 'b'],
  ]);
  expect(
    (
      await server
        .in('pull')
        .client(snapshots.Snapshots)
        .stat({ snapshotter, key: diffIds[0] ?? '' })
    ).info?.kind,
  ).toBe(snapshots.Kind.COMMITTED);
  const events = told.map(({ event }) => event);
  expect([events[0], events[1], events.at(-1)]).toEqual([
    `Resolving from OCI Registry (${registry.host}/app:latest)`,
    `Pulling from OCI Registry (${registry.host}/app:latest)`,
    `Completed pull from OCI Registry (${registry.host}/app:latest)`,
  ]);
  expect(told.filter(({ event }) => event === 'waiting').map(({ name, parents }) => [name.replace(/-.*/, ''), parents[0]?.replace(/-sha.*/, '')])).toEqual([
    ['manifest', `${registry.host}/app:latest`],
    ['config', 'manifest'],
    ['layer', 'manifest'],
  ]);
  expect(events.filter((event) => event === 'complete').length).toBe(3);
});

test.each([
  ['a wrong password', { authType: AuthType.CREDENTIALS, username: 'me', secret: 'wrong' }, /^Unauthenticated: /],
  ['no answer', undefined, /^Unauthenticated: the client did not say how/],
])('a pull with %s is refused, and leaves nothing', async (_name, answer, message) => {
  await using registry = await privateRegistry();
  putImage(registry, 'app', [[file('a', 'b')]]);
  const auth = await openStream(server, 'refused', 'auth');
  const pulled = server
    .in('refused')
    .client(transfer.Transfer)
    .transfer({
      source: packAny(OCIRegistrySchema, { reference: `${registry.host}/app`, resolver: { authStream: 'auth' } }),
      destination: packAny(ImageStoreSchema, { name: 'mine' }),
    });
  await auth.incoming.next();
  if (answer !== undefined) auth.send(packAny(AuthResponseSchema, answer));
  auth.send(undefined);
  expect(await rejection(pulled)).toMatch(message);
  expect((await server.in('refused').client(images.Images).list({})).images).toEqual([]);
});

test('headers of the client reach the registry; a snapshotter that is not there, and a destination without a name, are refused', async () => {
  await using registry = await startTestRegistry();
  putImage(registry, 'app', [[file('a', 'b')]]);
  let seen: unknown;
  registry.answer = (request) => {
    seen ??= request.headers['x-mine'];
    return false;
  };
  const source = packAny(OCIRegistrySchema, { reference: `${registry.host}/app`, resolver: { headers: { 'X-Mine': 'yes' } } });
  const { transfer: move } = server.in('headers').client(transfer.Transfer);
  expect(await rejection(move({ source, destination: packAny(ImageStoreSchema, {}) }))).toBe('NotFound: no image name found');
  expect(seen).toBe('yes');
  const elsewhere = packAny(ImageStoreSchema, { name: 'x', unpacks: [{ platform: { os, architecture }, snapshotter: 'zfs' }] });
  expect(await rejection(move({ source, destination: elsewhere }))).toBe('InvalidArgument: snapshotter not loaded: zfs');
});

test('a layer from a stream goes into a mount, and what a mount has over those below comes out of one', async () => {
  const { prepare, commit, view } = server.in('layers').client(snapshots.Snapshots);
  const { transfer: move } = server.in('layers').client(transfer.Transfer);
  const { mounts } = await prepare({ snapshotter, key: 'one' });
  const into = await openStream(server, 'layers', 'in');
  into.send(packAny(DataSchema, { data: gzipSync(writeTar([file('from-stream', 'x')])) }));
  into.send(undefined);
  await move({ source: packAny(ReadStreamSchema, { stream: 'in', mediaType: mediaTypes.ociLayerGzip }), destination: packAny(MountSchema, mounts[0] ?? {}) });
  expect(readFileSync(path.join(mounts[0]?.source ?? '', 'from-stream'), 'utf8')).toBe('x');
  await commit({ snapshotter, key: 'one', name: 'base' });
  const { mounts: above } = await prepare({ snapshotter, key: 'two', parent: 'base' });
  const upper = above[0]?.options.find((option) => option.startsWith('upperdir='))?.slice(9) ?? '';
  writeFileSync(path.join(upper, 'over'), 'y');
  const out = await openStream(server, 'layers', 'out');
  out.send(packAny(WindowUpdateSchema, { update: 1 << 20 }));
  out.send(undefined);
  const moved = move({ source: packAny(MountSchema, above[0] ?? {}), destination: packAny(WriteStreamSchema, { stream: 'out' }) });
  const parts: Uint8Array[] = [];
  for (let next = await out.incoming.next(); next.done !== true; next = await out.incoming.next())
    parts.push(unpackAny(next.value, DataSchema)?.data ?? new Uint8Array());
  await moved;
  const tar = Buffer.concat(parts).toString('latin1');
  expect([tar.includes('over'), tar.includes('from-stream')]).toEqual([true, false]);
  const { mounts: readonly } = await view({ snapshotter, key: 'view', parent: 'base' });
  expect(await rejection(move({ source: packAny(ReadStreamSchema, { stream: 'none' }), destination: packAny(MountSchema, readonly[0] ?? {}) }))).toBe(
    'NotFound: stream "none"',
  );
});
