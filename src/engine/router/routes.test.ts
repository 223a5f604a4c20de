import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { NetworkInspect } from '../../api/docker/index.ts';
import { StrakeError, silentLogger } from '../../base/index.ts';
import { type ApiServer, startApiServer } from '../server/index.ts';
import { Volumes } from '../volumes/index.ts';
import { type DistributionBackend, distributionRoutes } from './distribution/index.ts';
import { type ImagesBackend, imageRoutes } from './images/index.ts';
import { type NetworksBackend, networkRoutes } from './networks/index.ts';
import { type SystemBackend, systemRoutes } from './system/index.ts';
import { volumeRoutes } from './volumes/index.ts';

/** Calls of the backends, in order: what the routes made of the requests. */
const calls: unknown[] = [];
const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-routes-'));
const socketPath = path.join(directory, 'api.sock');
let server: ApiServer;

const network = (name: string, containers = {}): NetworkInspect => ({
  Name: name,
  Id: `${name}0123`,
  Created: '2026-01-02T03:04:05Z',
  Scope: 'local',
  Driver: name === 'host' ? 'host' : 'bridge',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: [] },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: containers,
  Options: {},
  Labels: name === 'mine' ? { tier: 'front' } : {},
});

const networks: NetworksBackend = {
  list: async () => [network('bridge'), network('host'), network('mine'), network('used', { c: {} })],
  get: async (name) => network(name),
  create: async (created) => {
    calls.push(created);
    return { id: 'n1' };
  },
  remove: async (name) => void calls.push(name),
  connect: async (...args) => void calls.push(args),
  disconnect: async (...args) => void calls.push(args),
};

const image = { Containers: 1, Created: 1, Id: 'sha256:1', Labels: null, ParentId: '', RepoDigests: [], RepoTags: [], SharedSize: -1, Size: 7 };

const images: ImagesBackend = {
  list: async () => [image],
  inspect: async (name) => {
    throw new StrakeError('NotFound', `No such image: ${name}`);
  },
  history: async () => [],
  async *pull(reference, { platform, credentials }) {
    calls.push({ reference, platform, credentials });
    if (reference.path === 'library/absent') throw new StrakeError('NotFound', 'manifest for absent:latest not found');
    yield { status: 'Pulling' };
    if (reference.path === 'library/torn') throw new StrakeError('DataLoss', 'torn');
  },
  async *push(reference, { platform, credentials }) {
    calls.push({ reference, platform, credentials });
    yield { status: 'Pushed' };
  },
  search: async ({ term, limit }) => [
    { name: term, description: 'd', starCount: 7, isOfficial: true },
    { name: String(limit), description: '', starCount: 0, isOfficial: false },
  ],
  async save(names, { platform }) {
    calls.push({ names, platform });
    if (names.includes('absent')) throw new StrakeError('NotFound', 'No such image: absent:latest');
    return Readable.from([Buffer.from('archive')]);
  },
  async *load(archive, { quiet, platform }) {
    calls.push({ archive: Buffer.concat(await Array.fromAsync(archive)).toString(), quiet, platform });
    yield { stream: 'Loaded image: a:1\n' };
  },
  async *import(archive, { signal: _signal, ...options }) {
    calls.push({ archive: archive === undefined ? undefined : Buffer.concat(await Array.fromAsync(archive)).toString(), ...options });
    yield { status: 'sha256:1' };
  },
  tag: async (...args) => void calls.push(args),
  delete: async (...args) => {
    calls.push(args);
    return [{ Untagged: 'a:1' }];
  },
  prune: async () => ({ items: [], sizeBytes: 0 }),
};

const remote: DistributionBackend = {
  inspect: async ({ reference }) => {
    calls.push(reference);
    return { descriptor: { mediaType: 'm', digest: 'd', size: 1 }, platforms: [{ os: 'linux', architecture: 'arm64' }] };
  },
};

const system: SystemBackend = {
  version: () => ({}) as ReturnType<SystemBackend['version']>,
  info: async () => ({}) as Awaited<ReturnType<SystemBackend['info']>>,
  events(window) {
    calls.push([window.sinceMs, window.untilMs]);
    return Readable.from([]);
  },
  diskUsage: async () => ({ layersSizeBytes: 9, images: [image], containers: [], volumes: [] }),
  login: async ({ serverAddress, username, password }) => {
    calls.push([serverAddress, username, password]);
    if (password !== 'right') throw new StrakeError('Unauthenticated', 'unauthorized: incorrect username or password');
    return { identityToken: '' };
  },
};

beforeAll(async () => {
  const volumes = await Volumes.open({ directory: path.join(directory, 'volumes'), events: { publish() {} }, now: () => new Date(0) });
  const routes = [...systemRoutes(system), ...imageRoutes(images), ...distributionRoutes(remote), ...networkRoutes(networks), ...volumeRoutes(volumes)];
  server = await startApiServer({ routes, hosts: [{ kind: 'unix', path: socketPath, groupId: 0 }], productVersion: '1', log: silentLogger });
});
afterAll(async () => {
  await server.close(0);
  rmSync(directory, { recursive: true });
});

async function call(line: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  calls.length = 0;
  const [method = '', url = ''] = line.split(' ');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({ socketPath, method, path: url, headers: { 'Content-Type': 'application/json', ...headers } }, resolve);
  request.on('error', reject);
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const response = await promise;
  const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString();
  return { status: response.statusCode, text, calls: [...calls] };
}

const reference = { domain: 'docker.io', path: 'library/busybox', tag: 'latest', digest: undefined };
const auth = (value: object) => ({ 'X-Registry-Auth': Buffer.from(JSON.stringify(value)).toString('base64url') });
const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['POST /images/create?fromImage=busybox', {}, { reference, platform: undefined, credentials: undefined }],
  ['POST /images/create?fromImage=busybox:&tag=1', {}, { reference: { ...reference, tag: '1' }, platform: undefined, credentials: undefined }],
  [
    `POST /images/create?fromImage=busybox&tag=${digest}`,
    {},
    { reference: { ...reference, tag: undefined, digest }, platform: undefined, credentials: undefined },
  ],
  [
    'POST /images/create?fromImage=busybox&platform=linux/arm64/v8',
    {},
    { reference, platform: { os: 'linux', architecture: 'arm64' }, credentials: undefined },
  ],
  ['POST /v1.24/images/create?fromImage=busybox&platform=nonsense!', {}, { reference, platform: undefined, credentials: undefined }],
  [
    'POST /images/create?fromImage=busybox',
    auth({ username: 'u', password: 'p' }),
    { reference, platform: undefined, credentials: { kind: 'password', username: 'u', password: 'p' } },
  ],
  [
    'POST /images/create?fromImage=busybox',
    auth({ auth: Buffer.from('u:p:q').toString('base64') }),
    { reference, platform: undefined, credentials: { kind: 'password', username: 'u', password: 'p:q' } },
  ],
  ['POST /images/create?fromImage=busybox', { 'X-Registry-Auth': 'bnVsbA==' }, { reference, platform: undefined, credentials: undefined }],
  ['POST /images/create?fromImage=busybox', { 'X-Registry-Auth': '%%%' }, { reference, platform: undefined, credentials: undefined }],
])('%s %j', async (line, headers, expected) => {
  const answer = await call(line, undefined, headers as Record<string, string>);
  expect([answer.status, answer.text]).toEqual([200, '{"status":"Pulling"}\r\n']);
  expect(answer.calls).toEqual([expected]);
});

test.each([
  ['POST /images/create?fromImage=absent', 404, '{"message":"manifest for absent:latest not found"}\n'],
  ['POST /images/create?fromImage=torn', 200, '{"status":"Pulling"}\r\n{"errorDetail":{"message":"torn"},"error":"torn"}\r\n'],
  ['POST /images/create?fromImage=UPPER', 400, '{"message":"invalid reference format: repository name (library/UPPER) must be lowercase"}\n'],
  ['POST /images/create?fromImage=busybox&platform=nonsense!', 400, '{"message":"invalid platform \\"nonsense!\\": must be OS/ARCHITECTURE[/VARIANT]"}\n'],
  ['GET /images/a/b/c:1/json', 404, '{"message":"No such image: a/b/c:1"}\n'],
  [
    'GET /images/search?term=x&filters={"is-official":["true"]}',
    200,
    '[{"star_count":7,"is_official":true,"name":"x","is_automated":false,"description":"d"}]\n',
  ],
  [
    'GET /images/search?term=x&limit=9&filters={"is-official":["false"]}',
    200,
    '[{"star_count":0,"is_official":false,"name":"9","is_automated":false,"description":""}]\n',
  ],
  ['GET /images/search?term=x&filters={"stars":["8"]}', 200, '[]\n'],
  ['GET /images/search?term=x&limit=101', 400, '{"message":"limit 101 is outside the range of [1, 100]"}\n'],
  ['GET /images/search?term=x&filters={"stars":["many"]}', 400, '{"message":"invalid filter \'stars=[many]\'"}\n'],
  ['GET /distribution/a/b:1/json', 200, '{"Descriptor":{"mediaType":"m","digest":"d","size":1},"Platforms":[{"os":"linux","architecture":"arm64"}]}\n'],
  ['POST /images/prune', 200, '{"ImagesDeleted":null,"SpaceReclaimed":0}\n'],
  ['GET /events?since=2&until=1', 400, '{"message":"`since` time (2) cannot be after `until` time (1)"}\n'],
  ['GET /events?since=yesterday', 400, '{"message":"invalid timestamp \\"yesterday\\": must be seconds since the epoch"}\n'],
  ['GET /system/df?type=nothing', 400, '{"message":"unknown object type: nothing"}\n'],
  ['GET /system/df?type=container', 200, '{"LayersSize":0,"Images":null,"Containers":[],"Volumes":null,"BuildCache":null}\n'],
  ['GET /networks?filters={"nonsense":["x"]}', 400, '{"message":"invalid filter \'nonsense\'"}\n'],
  ['GET /volumes/absent', 404, '{"message":"get absent: no such volume"}\n'],
  ['GET /volumes', 200, '{"Volumes":[],"Warnings":null}\n'],
] as const)('%s', async (line, status, text) => {
  const answer = await call(line);
  expect([answer.status, answer.text]).toEqual([status, text]);
});

test.each([
  [
    'POST /images/busybox/push?tag=latest&platform={"os":"linux","architecture":"arm64"}',
    undefined,
    { reference, platform: { os: 'linux', architecture: 'arm64' }, credentials: undefined },
    '{"status":"Pushed"}\r\n',
  ],
  [
    'POST /images/busybox/push',
    undefined,
    { reference: { ...reference, tag: undefined }, platform: undefined, credentials: undefined },
    '{"status":"Pushed"}\r\n',
  ],
  ['GET /images/get?names=a&names=b:1', undefined, { names: ['a', 'b:1'], platform: undefined }, 'archive'],
  [
    'GET /images/a/b:1/get?platform={"os":"linux","architecture":"arm64"}',
    undefined,
    { names: ['a/b:1'], platform: { os: 'linux', architecture: 'arm64' } },
    'archive',
  ],
  ['GET /v1.47/images/a/get?platform=old', undefined, { names: ['a'], platform: undefined }, 'archive'],
  ['POST /images/load', 'tar', { archive: '"tar"', quiet: true, platform: undefined }, '{"stream":"Loaded image: a:1\\n"}\r\n'],
  ['POST /images/load?quiet=0', 'tar', { archive: '"tar"', quiet: false, platform: undefined }, '{"stream":"Loaded image: a:1\\n"}\r\n'],
  [
    'POST /images/create?fromSrc=-&repo=busybox&tag=latest&message=m&changes=CMD%20x&changes=USER%20y&platform=arm64',
    'tar',
    { archive: '"tar"', reference, message: 'm', from: '-', changes: ['CMD x', 'USER y'], platform: { os: 'linux', architecture: 'arm64' } },
    '{"status":"sha256:1"}\r\n',
  ],
  [
    'POST /images/create?fromSrc=example.com/x.tar',
    undefined,
    { archive: undefined, reference: undefined, message: '', from: 'http://example.com/x.tar', changes: [], platform: undefined },
    '{"status":"sha256:1"}\r\n',
  ],
] as const)('%s', async (line, body, expected, text) => {
  const answer = await call(line, body);
  expect([answer.status, answer.text, answer.calls]).toEqual([200, text, [expected]]);
});

test.each([
  ['GET /images/get', 400, '{"message":"no images to save: names is empty"}\n'],
  ['GET /images/absent/get', 404, '{"message":"No such image: absent:latest"}\n'],
  [
    'GET /images/a/get?platform={"os":"linux"}',
    400,
    '{"message":"invalid platform \\"{\\\\\\"os\\\\\\":\\\\\\"linux\\\\\\"}\\": both OS and Architecture must be provided"}\n',
  ],
  [`POST /images/create?fromSrc=-&repo=a&tag=${digest}`, 400, '{"message":"cannot import digest reference"}\n'],
] as const)('%s is refused', async (line, status, text) => {
  const answer = await call(line);
  expect([answer.status, answer.text]).toEqual([status, text]);
});

test.each([
  ['1.51', { Containers: 1, RepoTags: [] }],
  ['1.50', { Containers: -1, RepoTags: [] }],
  ['1.43', { Containers: -1, RepoTags: [], VirtualSize: 7 }],
  ['1.42', { Containers: -1, RepoTags: ['<none>:<none>'], VirtualSize: 7 }],
])('image summaries of API %s', async (version, expected) => {
  const [summary] = JSON.parse((await call(`GET /v${version}/images/json`)).text) as [object];
  expect(summary).toMatchObject(expected);
  expect('VirtualSize' in summary).toBe('VirtualSize' in expected);
});

test.each([
  ['{"driver":["host"]}', ['host']],
  ['{"name":["m"]}', ['mine']],
  ['{"id":["bridge0"]}', ['bridge']],
  ['{"type":["builtin"]}', ['bridge', 'host']],
  ['{"label":["tier"]}', ['mine']],
  ['{"dangling":["true"]}', ['mine']],
])('networks filtered by %s', async (filters, names) => {
  const { text } = await call(`GET /networks?filters=${encodeURIComponent(filters)}`);
  expect((JSON.parse(text) as { Name: string }[]).map(({ Name }) => Name)).toEqual(names);
});

test.each([
  [
    'POST /networks/create',
    { Name: 'n', IPAM: { Config: [{ Subnet: '10.0.0.0/24', Gateway: '10.0.0.1' }] }, Labels: { a: 'b' }, Internal: true },
    201,
    '{"Id":"n1","Warning":""}\n',
    [
      {
        name: 'n',
        driver: '',
        internal: true,
        attachable: false,
        enableIPv6: false,
        subnet: '10.0.0.0/24',
        ipRange: undefined,
        gateway: '10.0.0.1',
        options: {},
        labels: { a: 'b' },
      },
    ],
  ],
  ['POST /networks/create', { Name: ' ' }, 400, '{"message":"invalid network name: name is empty"}\n', []],
  ['POST /networks/create', { Name: 7 }, 400, '{"message":"invalid JSON: Name must be a string"}\n', []],
  [
    'POST /networks/n/connect',
    { Container: 'c', EndpointConfig: { IPAMConfig: { IPv4Address: '10.0.0.9' }, Aliases: ['x'] } },
    200,
    '',
    [['n', 'c', { ipv4Address: '10.0.0.9', aliases: ['x'], macAddress: undefined }]],
  ],
  ['POST /networks/n/connect', {}, 400, '{"message":"invalid container: value is empty"}\n', []],
  ['POST /networks/n/disconnect', { Container: 'c', Force: true }, 200, '', [['n', 'c', { force: true }]]],
  ['DELETE /networks/n', undefined, 204, '', ['n']],
  ['POST /networks/prune', undefined, 200, '{"NetworksDeleted":["mine"]}\n', ['mine0123']],
  ['POST /images/a/b:1/tag?repo=c/d&tag=2', undefined, 201, '', [['a/b:1', { domain: 'docker.io', path: 'c/d', tag: '2', digest: undefined }]]],
  ['DELETE /images/a/b:1?force=1', undefined, 200, '[{"Untagged":"a:1"}]\n', [['a/b:1', { force: true }]]],
  [
    'POST /auth',
    { serveraddress: 'r:5000', username: 'u', password: 'right' },
    200,
    '{"Status":"Login Succeeded","IdentityToken":""}\n',
    [['r:5000', 'u', 'right']],
  ],
  [
    'POST /auth',
    { serveraddress: 'r:5000', username: 'u', password: 'wrong' },
    401,
    '{"message":"unauthorized: incorrect username or password"}\n',
    [['r:5000', 'u', 'wrong']],
  ],
  ['GET /events?since=1.5&until=2', undefined, 200, '', [[1500, 2000]]],
] as const)('%s %j', async (line, body, status, text, expected) => {
  const answer = await call(line, body);
  expect([answer.status, answer.text]).toEqual([status, text]);
  expect(answer.calls as unknown).toEqual(expected as unknown);
});

test('volumes over HTTP', async () => {
  expect((await call('POST /volumes/create', { Name: 'data', Labels: { a: 'b' } })).status).toBe(201);
  expect(JSON.parse((await call('GET /volumes?filters={"label":["a=b"]}')).text)).toMatchObject({
    Volumes: [{ Name: 'data', CreatedAt: '1970-01-01T00:00:00Z' }],
  });
  expect((await call('POST /volumes/prune')).text).toBe('{"VolumesDeleted":[],"SpaceReclaimed":0}\n');
  expect((await call('POST /volumes/prune?filters={"all":["true"]}')).text).toBe('{"VolumesDeleted":["data"],"SpaceReclaimed":0}\n');
});
