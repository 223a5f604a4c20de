import type { ImageInspect, ImageSummary, ImagesPruneResponse, SearchResult } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { withDefaultTag } from '../../../oci/index.ts';
import { type ApiRequest, type ApiVersion, del, empty, get, json, lines, post, type Reply, type Route } from '../../server/index.ts';
import { errorLine, importArchive, loadArchive, saveArchive } from './archives.ts';
import type { ImagesBackend } from './backend.ts';
import { platformJson, platformText, referenceOf } from './parameters.ts';
import { decodeRegistryAuth } from './registry-auth.ts';

export function imageRoutes(images: ImagesBackend): readonly Route[] {
  return [
    get('/images/json', async ({ query, apiVersion }) => {
      const found = await images.list(query.filters(), { sharedSize: query.bool('shared-size') });
      return json(found.map((image) => summaryFor(apiVersion, image)));
    }),
    get('/images/search', async (request) => json(await search(images, request))),
    get('/images/get', async (request) => await saveArchive(images, request.query.all('names'), request)),
    get('/images/{name:path}/get', async (request) => await saveArchive(images, [request.params['name'] ?? ''], request)),
    get('/images/{name:path}/history', async ({ params: { name = '' } }) => json(await images.history(name))),
    get('/images/{name:path}/json', async ({ params: { name = '' }, apiVersion }) => json(inspectFor(apiVersion, await images.inspect(name)))),
    post('/images/create', (request) => (request.query.text('fromImage') === '' ? importArchive(images, request) : pullImage(images, request))),
    post('/images/load', (request) => loadArchive(images, request)),
    post('/images/prune', async ({ query }) => {
      const { items, sizeBytes } = await images.prune(query.filters());
      const reply: ImagesPruneResponse = { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: sizeBytes };
      return json(reply);
    }),
    post('/images/{name:path}/push', (request) => push(images, request)),
    post('/images/{name:path}/tag', async ({ params: { name = '' }, query }) => {
      await images.tag(name, referenceOf(query.text('repo'), query.text('tag')));
      return empty(201);
    }),
    del('/images/{name:path}', async ({ params: { name = '' }, query }) => json(await images.delete(name, { force: query.bool('force') }))),
  ];
}

function pullImage(images: ImagesBackend, { query, headers, signal, apiVersion }: ApiRequest): Reply {
  // `docker pull -a` sends a colon behind the name.
  const reference = withDefaultTag(referenceOf(query.text('fromImage').replace(/:$/, ''), query.text('tag')));
  const platform = platformText(apiVersion.atLeast('1.32') ? query.text('platform') : '');
  const credentials = decodeRegistryAuth(headers['x-registry-auth']);
  const options = { ...(platform === undefined ? {} : { platform }), ...(credentials === undefined ? {} : { credentials }), signal };
  return lines(images.pull(reference, options), { errorLine });
}

function push(images: ImagesBackend, request: ApiRequest): Reply {
  const { params, query, headers, signal } = request;
  const reference = referenceOf(params['name'] ?? '', query.text('tag'));
  const credentials = decodeRegistryAuth(headers['x-registry-auth']);
  return lines(images.push(reference, { platform: platformJson(request), credentials, signal }), { errorLine });
}

const defaultSearchLimit = 25;

async function search(images: ImagesBackend, { query, headers, signal }: ApiRequest): Promise<readonly SearchResult[]> {
  const term = query.text('term');
  const limit = query.integer('limit') ?? defaultSearchLimit;
  if (limit < 1 || limit > 100) throw new StrakeError('InvalidArgument', `limit ${limit} is outside the range of [1, 100]`);
  const filters = query.filters().accept('is-automated', 'is-official', 'stars');
  const official = filters.flag('is-official');
  // Nothing is built by the Hub any more.
  if (filters.flag('is-automated') === true) return [];
  const stars = Math.max(0, ...filters.get('stars').map(starsOf));
  const found = await images.search({ term, limit, credentials: decodeRegistryAuth(headers['x-registry-auth']), signal });
  return found
    .filter(({ isOfficial, starCount }) => (official === undefined || official === isOfficial) && starCount >= stars)
    .map(({ name, description, starCount, isOfficial }) => ({ star_count: starCount, is_official: isOfficial, name, is_automated: false, description }));
}

function starsOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new StrakeError('InvalidArgument', `invalid filter 'stars=[${text}]'`);
  return Number(text);
}

function summaryFor(version: ApiVersion, image: ImageSummary): ImageSummary {
  const nameless = !version.atLeast('1.43') && image.RepoTags.length === 0 && image.RepoDigests.length === 0;
  return {
    ...image,
    ...(nameless ? { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] } : {}),
    ...(version.atLeast('1.44') ? {} : { VirtualSize: image.Size }),
    ...(version.atLeast('1.51') ? {} : { Containers: -1 }),
  };
}

function inspectFor(version: ApiVersion, image: ImageInspect): ImageInspect {
  const { Descriptor: descriptor, ...older } = image;
  return {
    ...(version.atLeast('1.48') ? { ...older, ...(descriptor === undefined ? {} : { Descriptor: descriptor }) } : older),
    ...(version.atLeast('1.44') ? {} : { VirtualSize: image.Size }),
  };
}
