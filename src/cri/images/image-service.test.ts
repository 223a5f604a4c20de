import { expect, test } from 'bun:test';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { criImages } from '../../api/cri/index.ts';
import { silentLogger } from '../../base/index.ts';
import { openTestCore, rejection, type TestCore } from '../../core/fixtures.ts';
import { putImage, startTestRegistry, type TestRegistry } from '../../distribution/fixtures-registry.ts';
import { createPuller } from '../../distribution/index.ts';
import { connectGrpc, serveGrpc } from '../../rpc/grpc/index.ts';
import { imageUser } from './image.ts';
import { imageService } from './image-service.ts';
import { Images } from './images.ts';
import { SnapshotUsages } from './usage.ts';

const file = (name: string, content: string) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(content) });

/** The service over stores of its own, and a client of it. */
async function serve(registry: TestRegistry, pinned: readonly string[] = []) {
  const core: TestCore = openTestCore();
  const stores = core.inNamespace('k8s.io');
  const socket = path.join(core.root, 'cri.sock');
  const service = imageService({
    images: new Images({ content: stores.content, store: stores.images, pinned }),
    store: stores.images,
    pull: createPuller({ ...stores, flush: core.flush, retryDelayMs: 1 }),
    usages: new SnapshotUsages(stores.snapshots),
    fileSystemPath: core.root,
    collectGarbage: core.collectGarbage,
    flush: core.flush,
  });
  const server = await serveGrpc({ hosts: [{ kind: 'unix', path: socket, groupId: 0 }], services: [service], log: silentLogger });
  const connection = connectGrpc({ kind: 'unix', path: socket });
  const client = connection.client(criImages.ImageService);
  return {
    stores,
    client,
    pull: async (image: string, auth: MessageInitShape<typeof criImages.AuthConfigSchema> = {}) =>
      (await client.pullImage({ image: { image: `${registry.host}/${image}` }, auth })).imageRef,
    status: async (image: string) => (await client.imageStatus({ image: { image } })).image,
    async [Symbol.asyncDispose]() {
      connection.close();
      await server.close(0);
      core[Symbol.dispose]();
    },
  };
}

test('a pulled image is known by its tag, its digest, its id and the beginning of that; taken away by one of them it is gone', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry);
  const { manifest, config, layers } = putImage(registry, 'app', [[file('a', 'one')]]);
  const id = await cri.pull('app');
  expect(id).toBe(config.digest);
  const [tag, digest] = [`${registry.host}/app:latest`, `${registry.host}/app@${manifest.digest}`];
  const image = await cri.status(tag);
  expect(image).toMatchObject({ id, repoTags: [tag], repoDigests: [digest], username: '', pinned: false });
  expect(image?.size).toBe(BigInt(manifest.size + config.size + (layers[0]?.size ?? 0)));
  for (const name of [`${registry.host}/app`, digest, `${tag}@${manifest.digest}`, id, id.slice(7), id.slice(7, 20)])
    expect(await cri.status(name)).toEqual(image);
  for (const name of [`${registry.host}/other`, `sha256:${'0'.repeat(64)}`, 'not a reference']) expect(await cri.status(name)).toBeUndefined();
  // As containerd's clients see it.
  expect((await cri.stores.images.list(['labels."io.cri-containerd.image"==managed'])).map(({ name }) => name).toSorted()).toEqual(
    [tag, digest, id].toSorted(),
  );
  const { info } = await cri.client.imageStatus({ image: { image: id }, verbose: true });
  expect(JSON.parse(info['info'] ?? '')).toMatchObject({ chainID: expect.stringMatching(/^sha256:/), imageSpec: { os: 'linux' } });

  await Promise.all(Array.from({ length: 5 }, async () => await cri.client.removeImage({ image: { image: tag } })));
  expect((await cri.client.listImages({})).images).toEqual([]);
  expect(await Array.fromAsync(cri.stores.content.walk())).toEqual([]);
  expect(await Array.fromAsync(cri.stores.snapshots.walk())).toEqual([]);
});

test('names of the same content are one image; what a filter finds; a stream tells the same', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry, [`${registry.host}/kept`]);
  for (const repository of ['app', 'copy']) putImage(registry, repository, [[file('a', 'one')]]);
  putImage(registry, 'kept', [[file('a', 'two')]]);
  expect(await cri.pull('app')).toBe(await cri.pull('copy'));
  await cri.pull('kept');
  const { images } = await cri.client.listImages({});
  const tags = (found: readonly criImages.Image[]) => found.map(({ repoTags }) => repoTags.map((tag) => tag.slice(registry.host.length + 1)));
  expect(tags(images).toSorted()).toEqual([['app:latest', 'copy:latest'], ['kept:latest']]);
  expect(images.filter(({ pinned }) => pinned).map(({ repoTags }) => repoTags)).toEqual([[`${registry.host}/kept:latest`]]);
  const found = async (image: string) => tags((await cri.client.listImages({ filter: { image: { image } } })).images);
  expect(await found(`${registry.host}/copy`)).toEqual([['app:latest', 'copy:latest']]);
  expect(await found(`${registry.host}/kept:latest`)).toEqual([['kept:latest']]);
  expect(await found(`${registry.host}/kept:other`)).toEqual([]);
  expect(await found('other')).toEqual([]);
  const streamed = await Array.fromAsync(cri.client.streamImages({}));
  expect(streamed.flatMap((message) => message.images)).toEqual(images);
});

test('a name is looked up without other images; a name by another manifest of the same image belongs to it, and goes with it', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry);
  const { manifest } = putImage(registry, 'app', [[file('a', 'one')]]);
  const noted = putImage(registry, 'noted', [[file('a', 'one')]], { manifest: (value) => ({ ...value, annotations: { note: 'x' } }) });
  putImage(registry, 'other', [[file('a', 'two')]]);
  for (const repository of ['app', 'other']) await cri.pull(repository);
  const asked: (readonly string[])[] = [];
  const { content, images: store } = cri.stores;
  const counted = {
    ...store,
    list: async (filters: readonly string[] = []) => {
      asked.push(filters);
      return await store.list(filters);
    },
  };
  const images = new Images({ content, store: counted });
  const tag = (repository: string) => `${registry.host}/${repository}:latest`;
  expect((await images.get(tag('app'))).repoTags).toEqual([tag('app')]);
  expect(asked).toEqual([[`target.digest==${manifest.digest}`]]);
  expect(await cri.pull('noted')).toBe(noted.config.digest);
  expect((await images.get(tag('noted'))).repoTags).toEqual([tag('app'), tag('noted')]);
  expect((await images.get(tag('app'))).repoTags).toEqual([tag('app'), tag('noted')]);
  await cri.client.removeImage({ image: { image: tag('noted') } });
  expect((await cri.client.listImages({})).images.map(({ repoTags }) => repoTags)).toEqual([[tag('other')]]);
});

test('a tag that moved on leaves its image under the digest; both are counted, and none is left in the end', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry);
  const used = async () => {
    const [usage] = (await cri.client.imageFsInfo({})).imageFilesystems;
    return [usage?.usedBytes?.value, usage?.inodesUsed?.value] as const;
  };
  expect(await used()).toEqual([0n, 0n]);
  const old = putImage(registry, 'app', [[file('a', 'one')]]);
  await cri.pull('app');
  const [oneBytes = 0n, oneInodes = 0n] = await used();
  expect([oneBytes > 0n, oneInodes > 0n]).toEqual([true, true]);
  putImage(registry, 'app', [[file('a', 'two')]]);
  await cri.pull('app');
  expect(await cri.status(old.config.digest)).toMatchObject({ repoTags: [], repoDigests: [`${registry.host}/app@${old.manifest.digest}`] });
  expect(await used()).toEqual([2n * oneBytes, 2n * oneInodes]);
  for (const { id } of (await cri.client.listImages({})).images) await cri.client.removeImage({ image: { image: id } });
  expect(await used()).toEqual([0n, 0n]);
});

test('the user’s name and password go to the registry that they are for, and to no other', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry);
  putImage(registry, 'app', [[file('a', 'one')]]);
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  registry.answer = ({ headers, url }, response) =>
    headers.authorization !== basic && url !== '/v2/' && Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end());
  expect(await rejection(cri.pull('app'))).toMatch(/^Unauthenticated: /);
  expect(await rejection(cri.pull('app', { username: 'me', password: 'secret', serverAddress: 'other.example' }))).toMatch(/^Unauthenticated: /);
  expect(registry.requests.filter((request) => request.includes('Basic'))).toEqual([]);
  await cri.pull('app', { username: 'me', password: 'secret', serverAddress: `https://${registry.host}/v1/` });
  await cri.pull('app', { auth: Buffer.from('me:secret').toString('base64') });
});

test('a request that names no image, and the beginning of two ids, are refused', async () => {
  await using registry = await startTestRegistry();
  await using cri = await serve(registry);
  expect(await rejection(cri.client.imageStatus({}))).toBe('InvalidArgument: no image is named');
  expect(await rejection(cri.client.pullImage({ image: { image: 'a b' } }))).toBe('InvalidArgument: invalid reference format');
  // Of seventeen ids two begin with the same digit.
  for (let index = 0; index < 17; index += 1) putImage(registry, `app${index}`, [[file('a', String(index))]]);
  const ids = await Promise.all(Array.from({ length: 17 }, async (_, index) => await cri.pull(`app${index}`)));
  const [digit = '', same = []] = [...Map.groupBy(ids, (id) => id.charAt(7))].find(([, group]) => group.length > 1) ?? [];
  expect(await rejection(cri.status(digit))).toBe(`InvalidArgument: image id "${digit}" is ambiguous: ${same.length} begin so`);
});

test.each([
  [undefined, undefined, ''],
  ['', undefined, ''],
  ['1002', 1002n, ''],
  ['1003:users', 1003n, ''],
  ['www-data', undefined, 'www-data'],
  ['www-data:100', undefined, 'www-data'],
  ['0', 0n, ''],
  ['1e3', undefined, '1e3'],
  ['-1', undefined, '-1'],
])('the user %p', (user, uid, username) => expect(imageUser(user)).toEqual({ uid, username }));
