import { type ApiRequest, asObject, json, post, type Route, readJson } from '../../server/index.ts';
import { parseConfig } from '../containers/index.ts';
import { newName } from '../images/index.ts';
import type { CommitBackend } from './backend.ts';

export function commitRoutes(backend: CommitBackend): readonly Route[] {
  return [post('/commit', async (request) => json({ Id: await backend.commit(request.query.text('container'), await parseCommit(request)) }, 201))];
}

async function parseCommit(request: ApiRequest): Promise<Parameters<CommitBackend['commit']>[1]> {
  const { query, signal } = request;
  const body = await readJson(request);
  return {
    reference: newName(request, 'commit to'),
    author: query.text('author'),
    comment: query.text('comment'),
    changes: query.all('changes'),
    config: body === undefined || body === null ? undefined : parseConfig(asObject(body, 'body')),
    pause: query.bool('pause', true),
    signal,
  };
}
