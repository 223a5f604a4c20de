import { StrakeError } from '../../../base/index.ts';
import { type ApiRequest, asObject, get, head, json, lines, optionalString, post, type Reply, type Route, readJson, text } from '../../server/index.ts';
import type { SystemBackend } from './backend.ts';
import { parseTimestamp } from './timestamp.ts';

const pingHeaders = { 'Cache-Control': 'no-cache, no-store, must-revalidate', Pragma: 'no-cache', Swarm: 'inactive' };

export function systemRoutes(system: SystemBackend): readonly Route[] {
  return [
    get('/_ping', () => text('OK', 200, pingHeaders)),
    head('/_ping', () => text('', 200, pingHeaders)),
    get('/version', () => json(system.version())),
    get('/info', async () => json(await system.info())),
    get('/events', (request) => streamEvents(system, request)),
    get('/system/df', async (request) => json(await diskUsage(system, request))),
    post('/auth', async (request) => json(await login(system, request))),
  ];
}

function streamEvents(system: SystemBackend, { query, signal }: ApiRequest): Reply {
  const sinceMs = parseTimestamp(query.text('since'));
  const untilMs = parseTimestamp(query.text('until'));
  if (sinceMs !== undefined && untilMs !== undefined && untilMs < sinceMs)
    throw new StrakeError('InvalidArgument', `\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`);
  const window = { ...(sinceMs === undefined ? {} : { sinceMs }), ...(untilMs === undefined ? {} : { untilMs }) };
  return lines(system.events({ ...window, filter: query.filters(), signal }), { headFirst: true });
}

const diskUsageTypes = ['container', 'image', 'volume', 'build-cache'];

async function diskUsage(system: SystemBackend, { query }: ApiRequest) {
  const types = query.has('type') ? query.all('type') : diskUsageTypes;
  for (const type of types) if (!diskUsageTypes.includes(type)) throw new StrakeError('InvalidArgument', `unknown object type: ${type}`);
  const usage = await system.diskUsage();
  return {
    LayersSize: types.includes('image') ? usage.layersSizeBytes : 0,
    Images: types.includes('image') ? usage.images : null,
    Containers: types.includes('container') ? usage.containers : null,
    Volumes: types.includes('volume') ? usage.volumes : null,
    BuildCache: types.includes('build-cache') ? [] : null,
  };
}

async function login(system: SystemBackend, request: ApiRequest) {
  const given = asObject(await readJson(request), 'body');
  const read = (name: string) => optionalString(given, name) ?? '';
  const credentials = { serverAddress: read('serveraddress'), username: read('username'), password: read('password'), identityToken: read('identitytoken') };
  const { identityToken } = await system.login(credentials, request.signal);
  return { Status: 'Login Succeeded', IdentityToken: identityToken };
}
