import type { ExecCreateRequest } from '../../../api/docker/index.ts';
import {
  type ApiRequest,
  asObject,
  empty,
  get,
  hijack,
  hijacked,
  type JsonObject,
  json,
  multiplexedStream,
  optionalBoolean,
  optionalString,
  optionalStrings,
  post,
  type Reply,
  type Route,
  rawStream,
  readJson,
} from '../../server/index.ts';
import { parseConsoleSize, terminalSize } from '../containers/index.ts';
import type { ExecBackend } from './backend.ts';

export function execRoutes(containers: ExecBackend): readonly Route[] {
  return [
    post('/containers/{name}/exec', async (request) => {
      const body = asObject(await readJson(request), 'body');
      return json({ Id: containers.createExec(request.params['name'] ?? '', parseExec(body)) }, 201);
    }),
    post('/exec/{id}/start', async (request) => await start(containers, request)),
    post('/exec/{id}/resize', async ({ params, query }) => {
      const { rows, cols } = terminalSize(query);
      await containers.resizeExec(params['id'] ?? '', rows, cols);
      return empty(200);
    }),
    get('/exec/{id}/json', ({ params }) => json(containers.inspectExec(params['id'] ?? ''))),
  ];
}

async function start(containers: ExecBackend, request: ApiRequest): Promise<Reply> {
  const body = asObject(await readJson(request), 'body');
  const detach = optionalBoolean(body, 'Detach') ?? false;
  const [rows, cols] = parseConsoleSize(body);
  const exec = await containers.startExec(request.params['id'] ?? '', { detach, ...(rows > 0 && cols > 0 ? { consoleSize: { rows, cols } } : {}) });
  if (detach) return empty(200);
  const client = await hijack(request, { contentType: exec.terminal ? rawStream : multiplexedStream });
  await exec.run(client);
  return hijacked;
}

function parseExec(body: JsonObject): ExecCreateRequest {
  const text = (name: string) => optionalString(body, name) ?? '';
  const flag = (name: string) => optionalBoolean(body, name) ?? false;
  const size = parseConsoleSize(body);
  return {
    User: text('User'),
    Privileged: flag('Privileged'),
    Tty: flag('Tty'),
    ConsoleSize: size[0] > 0 ? size : null,
    AttachStdin: flag('AttachStdin'),
    AttachStdout: flag('AttachStdout'),
    AttachStderr: flag('AttachStderr'),
    DetachKeys: text('DetachKeys'),
    Env: optionalStrings(body, 'Env') ?? null,
    WorkingDir: text('WorkingDir'),
    Cmd: optionalStrings(body, 'Cmd') ?? [],
  };
}
