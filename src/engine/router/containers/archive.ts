import { StrakeError } from '../../../base/index.ts';
import { type ApiRequest, body, empty, get, head, json, put, type Route, stream } from '../../server/index.ts';
import type { ContainersBackend } from './backend.ts';

const tarType = 'application/x-tar';
const statHeader = 'X-Docker-Container-Path-Stat';

/** Files of a container, as archives. */
export function archiveRoutes(containers: ContainersBackend): readonly Route[] {
  return [
    get('/containers/{name}/changes', async (request) => json(await containers.changes(nameOf(request), request.signal))),
    get('/containers/{name}/export', async (request) => stream('application/octet-stream', await containers.export(nameOf(request), request.signal))),
    head('/containers/{name}/archive', async (request) => empty(200, statOf(await containers.statPath(nameOf(request), pathOf(request), request.signal)))),
    get('/containers/{name}/archive', async (request) => {
      const { stat, content } = await containers.archive(nameOf(request), pathOf(request), request.signal);
      return stream(tarType, content, statOf(stat));
    }),
    put('/containers/{name}/archive', async (request) => {
      const { query, signal } = request;
      await containers.extract(nameOf(request), {
        path: pathOf(request),
        keepKinds: query.bool('noOverwriteDirNonDir'),
        asUser: query.bool('copyUIDGID'),
        content: body(request),
        signal,
      });
      return empty(200);
    }),
  ];
}

function nameOf({ params }: ApiRequest): string {
  return params['name'] ?? '';
}

/** From the root of the container, whether it says so or not. */
function pathOf({ query }: ApiRequest): string {
  const path = query.text('path');
  if (path === '') throw new StrakeError('InvalidArgument', 'bad parameter: path cannot be empty');
  if (path.includes('\0')) throw new StrakeError('InvalidArgument', 'bad parameter: path has a NUL byte');
  return path.startsWith('/') ? path : `/${path}`;
}

function statOf(stat: unknown): Readonly<Record<string, string>> {
  return { [statHeader]: Buffer.from(JSON.stringify(stat)).toString('base64') };
}
