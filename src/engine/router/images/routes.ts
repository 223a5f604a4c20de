import type { ImageInspect, ImageSummary, ImagesPruneResponse } from '../../../api/docker/index.ts';
import { errorMessage, StrakeError } from '../../../base/index.ts';
import { isDigest, parsePlatform, parseReference, type Reference, withDefaultTag } from '../../../oci/index.ts';
import { type ApiRequest, type ApiVersion, del, empty, get, json, lines, post, type Reply, type Route } from '../../server/index.ts';
import type { ImagesBackend } from './backend.ts';
import { decodeRegistryAuth } from './registry-auth.ts';

export function imageRoutes(images: ImagesBackend): readonly Route[] {
  return [
    get('/images/json', async ({ query, apiVersion }) => json((await images.list(query.filters())).map((image) => summaryFor(apiVersion, image)))),
    get('/images/search', () => {
      throw new StrakeError('Unimplemented', 'search is not available: it is a service of Docker Hub, and registries have none');
    }),
    get('/images/{name:path}/history', async ({ params: { name = '' } }) => json(await images.history(name))),
    get('/images/{name:path}/json', async ({ params: { name = '' }, apiVersion }) => json(inspectFor(apiVersion, await images.inspect(name)))),
    post('/images/create', (request) => createImage(images, request)),
    post('/images/prune', async ({ query }) => {
      const { items, sizeBytes } = await images.prune(query.filters());
      const reply: ImagesPruneResponse = { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: sizeBytes };
      return json(reply);
    }),
    post('/images/{name:path}/tag', async ({ params: { name = '' }, query }) => {
      await images.tag(name, referenceOf(query.text('repo'), query.text('tag')));
      return empty(201);
    }),
    del('/images/{name:path}', async ({ params: { name = '' }, query }) => json(await images.delete(name, { force: query.bool('force') }))),
  ];
}

function createImage(images: ImagesBackend, { query, headers, signal, apiVersion }: ApiRequest): Reply {
  const fromImage = query.text('fromImage');
  if (fromImage === '') throw new StrakeError('Unimplemented', 'import of a root filesystem is not available: fromImage must name an image');
  // `docker pull -a` sends a colon behind the name.
  const reference = withDefaultTag(referenceOf(fromImage.replace(/:$/, ''), query.text('tag')));
  const platformText = apiVersion.atLeast('1.32') ? query.text('platform') : '';
  const platform = platformText === '' ? undefined : parsePlatform(platformText.includes('/') ? platformText : `linux/${platformText}`);
  if (platformText !== '' && platform === undefined)
    throw new StrakeError('InvalidArgument', `invalid platform ${JSON.stringify(platformText)}: must be OS/ARCHITECTURE[/VARIANT]`);
  const credentials = decodeRegistryAuth(headers['x-registry-auth']);
  const options = { ...(platform === undefined ? {} : { platform }), ...(credentials === undefined ? {} : { credentials }), signal };
  return lines(images.pull(reference, options), { errorLine: (error) => ({ errorDetail: { message: errorMessage(error) }, error: errorMessage(error) }) });
}

/** The tag may be a digest. */
function referenceOf(name: string, tag: string): Reference {
  const reference = parseReference(name);
  if (tag === '') return reference;
  return isDigest(tag) ? { ...reference, tag: undefined, digest: tag } : parseReference(`${reference.domain}/${reference.path}:${tag}`);
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
