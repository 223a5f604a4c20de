import { StrakeError } from '../../../base/index.ts';
import { type CreateContainer, parseWaitCondition, type StopOptions } from '../../containers/index.ts';
import { type ApiRequest, asObject, del, empty, get, hasLabel, json, lines, notModified, post, type Reply, type Route, readJson } from '../../server/index.ts';
import { archiveRoutes } from './archive.ts';
import { attach } from './attach.ts';
import type { ContainersBackend } from './backend.ts';
import { logs } from './logs.ts';
import { parseConfig, parseEndpoints } from './parse-config.ts';
import { parseHostConfig, parseRestartPolicy } from './parse-host-config.ts';
import { parseChangedLimits } from './parse-resources.ts';

const listFilters = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

export function containerRoutes(containers: ContainersBackend): readonly Route[] {
  const on = (handler: (name: string, request: ApiRequest) => Promise<Reply> | Reply) => (request: ApiRequest) =>
    handler(request.params['name'] ?? '', request);
  const done = (status = 204) => empty(status);
  return [
    get('/containers/json', async (request) => json(await list(containers, request))),
    post('/containers/create', async (request) => json(await containers.create(await parseCreate(request)), 201)),
    post('/strake/explain', async (request) => json(await containers.explain(await parseCreate(request)))),
    post('/containers/prune', async ({ query }) => json(await containers.prune(query.filters().accept('label', 'label!', 'until'), hasLabel))),
    get(
      '/containers/{name}/json',
      on(async (name, { query }) => json(await containers.inspect(name, { size: query.bool('size') }))),
    ),
    get(
      '/containers/{name}/top',
      on(async (name, { query }) => json(await containers.top(name, query.text('ps_args')))),
    ),
    get(
      '/containers/{name}/logs',
      on(async (name, request) => await logs(containers, name, request)),
    ),
    get(
      '/containers/{name}/stats',
      on((name, request) => stats(containers, name, request)),
    ),
    post(
      '/containers/{name}/start',
      on(async (name) => ((await containers.start(name)) ? done() : notModified)),
    ),
    post(
      '/containers/{name}/stop',
      on(async (name, request) => ((await containers.stop(name, stopOptions(request))) ? done() : notModified)),
    ),
    post(
      '/containers/{name}/restart',
      on(async (name, request) => {
        await containers.restart(name, stopOptions(request));
        return done();
      }),
    ),
    post(
      '/containers/{name}/kill',
      on(async (name, { query }) => {
        await containers.kill(name, query.text('signal'));
        return done();
      }),
    ),
    post(
      '/containers/{name}/pause',
      on(async (name) => {
        await containers.pause(name);
        return done();
      }),
    ),
    post(
      '/containers/{name}/unpause',
      on(async (name) => {
        await containers.unpause(name);
        return done();
      }),
    ),
    post(
      '/containers/{name}/resize',
      on(async (name, { query }) => {
        const { rows, cols } = terminalSize(query);
        await containers.resize(name, rows, cols);
        return done(200);
      }),
    ),
    post(
      '/containers/{name}/rename',
      on(async (name, { query }) => {
        await containers.rename(name, query.text('name'));
        return done();
      }),
    ),
    post(
      '/containers/{name}/update',
      on(async (name, request) => json(await update(containers, name, request))),
    ),
    post(
      '/containers/{name}/wait',
      on((name, request) => wait(containers, name, request)),
    ),
    post(
      '/containers/{name}/attach',
      on(async (name, request) => await attach(containers, name, request)),
    ),
    ...archiveRoutes(containers),
    del(
      '/containers/{name}',
      on(async (name, { query }) => {
        if (query.bool('link')) throw new StrakeError('Unimplemented', 'links are not supported', { fields: { layer: 'engine' } });
        await containers.remove(name, { force: query.bool('force'), volumes: query.bool('v') });
        return done();
      }),
    ),
  ];
}

/** `h` and `w`. */
export function terminalSize(query: ApiRequest['query']): { readonly rows: number; readonly cols: number } {
  const size = (name: string) => {
    const value = query.integer(name);
    if (value === undefined || value < 0 || value > 0xffff)
      throw new StrakeError('InvalidArgument', `invalid resize ${name === 'h' ? 'height' : 'width'} ${JSON.stringify(query.text(name))}`);
    return value;
  };
  return { rows: size('h'), cols: size('w') };
}

async function parseCreate(request: ApiRequest): Promise<CreateContainer> {
  const body = await readJson(request);
  if (body === undefined) throw new StrakeError('InvalidArgument', 'config cannot be empty in order to create a container');
  const object = asObject(body, 'body');
  const hostConfig = parseHostConfig(asObject(object['HostConfig'], 'HostConfig'));
  if (!request.apiVersion.atLeast('1.48') && (hostConfig.Mounts ?? []).some(({ Type }) => Type === 'image'))
    throw new StrakeError('InvalidArgument', 'Mount type "Image" needs API v1.48 or newer');
  return {
    name: request.query.text('name'),
    config: parseConfig(object),
    hostConfig,
    endpoints: parseEndpoints(object),
  };
}

async function list(containers: ContainersBackend, { query }: ApiRequest) {
  const limit = query.integer('limit') ?? 0;
  return await containers.list({
    all: query.bool('all'),
    ...(limit > 0 ? { limit } : {}),
    size: query.bool('size'),
    filters: query.filters().accept(...listFilters),
  });
}

async function update(containers: ContainersBackend, name: string, request: ApiRequest) {
  const body = asObject(await readJson(request), 'body');
  const restartPolicy = parseRestartPolicy(body);
  await containers.update(name, { limits: parseChangedLimits(body), ...(restartPolicy.Name === '' ? {} : { restartPolicy }) });
  return { Warnings: null };
}

/** The head goes out at once: the client starts the container only when it knows that its wait is registered. */
function wait(containers: ContainersBackend, name: string, { query, signal }: ApiRequest): Reply {
  const exit = containers.wait(name, parseWaitCondition(query.text('condition')), signal);
  exit.catch(() => undefined);
  const answer = async function* () {
    const { exitCode, error } = await exit;
    yield { StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) };
  };
  return lines(answer(), { headFirst: true });
}

function stats(containers: ContainersBackend, name: string, { query, signal }: ApiRequest): Reply {
  const stream = query.bool('stream', true);
  const oneShot = query.bool('one-shot');
  if (stream && oneShot) throw new StrakeError('InvalidArgument', 'cannot have stream=true and one-shot=true');
  return lines(containers.stats(name, { stream, oneShot, signal }), { headFirst: stream });
}

function stopOptions({ query }: ApiRequest): StopOptions {
  const timeoutSeconds = query.integer('t');
  return { signal: query.text('signal'), ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) };
}
