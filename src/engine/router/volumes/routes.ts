import type { VolumeListResponse, VolumesPruneResponse } from '../../../api/docker/index.ts';
import {
  type ApiRequest,
  asObject,
  del,
  empty,
  get,
  hasLabel,
  json,
  optionalString,
  optionalStringMap,
  post,
  type Route,
  readJson,
} from '../../server/index.ts';
import type { VolumesBackend } from './backend.ts';

export function volumeRoutes(volumes: VolumesBackend): readonly Route[] {
  return [
    get('/volumes', (request) => json(listVolumes(volumes, request))),
    get('/volumes/{name}', ({ params: { name = '' } }) => json(volumes.get(name))),
    post('/volumes/create', async (request) => json(await createVolume(volumes, request), 201)),
    post('/volumes/prune', async (request) => json(await pruneVolumes(volumes, request))),
    del('/volumes/{name}', async ({ params: { name = '' }, query }) => {
      await volumes.remove(name, { force: query.bool('force') });
      return empty(204);
    }),
  ];
}

function listVolumes(volumes: VolumesBackend, { query }: ApiRequest): VolumeListResponse {
  const filters = query.filters().accept('dangling', 'driver', 'label', 'name');
  const dangling = filters.flag('dangling');
  const wanted = volumes
    .list()
    .filter(
      (volume) =>
        filters.any('name', (name) => volume.Name.includes(name)) &&
        filters.any('driver', (driver) => volume.Driver === driver) &&
        filters.labels(volume.Labels ?? {}) &&
        (dangling === undefined || dangling === (volumes.usersOf(volume.Name).length === 0)),
    );
  return { Volumes: wanted.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)), Warnings: null };
}

async function createVolume(volumes: VolumesBackend, request: ApiRequest) {
  const options = asObject(await readJson(request), 'body');
  const name = optionalString(options, 'Name');
  const driver = optionalString(options, 'Driver');
  const driverOptions = optionalStringMap(options, 'DriverOpts');
  const labels = optionalStringMap(options, 'Labels');
  return await volumes.create({
    ...(name === undefined ? {} : { name }),
    ...(driver === undefined ? {} : { driver }),
    ...(driverOptions === undefined ? {} : { options: driverOptions }),
    ...(labels === undefined ? {} : { labels }),
  });
}

/** From API 1.42 on only anonymous volumes, unless the filter `all` is true. */
async function pruneVolumes(volumes: VolumesBackend, { query, apiVersion }: ApiRequest): Promise<VolumesPruneResponse> {
  const filters = query.filters().accept('label', 'label!', 'all');
  const anonymousOnly = apiVersion.atLeast('1.42') && filters.flag('all') !== true;
  const { names, sizeBytes } = await volumes.prune(
    (volume) =>
      (!anonymousOnly || volumes.isAnonymous(volume.Name)) &&
      filters.labels(volume.Labels ?? {}) &&
      !filters.get('label!').some((unwanted) => hasLabel(volume.Labels ?? {}, unwanted)),
  );
  return { VolumesDeleted: names, SpaceReclaimed: sizeBytes };
}
