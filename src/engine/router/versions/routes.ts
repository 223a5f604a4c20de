import type { ImageTree } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { type ApiRequest, get, json, lines, post, type Route } from '../../server/index.ts';

/** What these routes need: names of images are as users write them. */
export interface VersionsBackend {
  tree(name: string): Promise<ImageTree>;
  diff(from: string, to: string, signal: AbortSignal): AsyncIterable<unknown>;
  rollBack(name: string, version: string | undefined): Promise<{ readonly name: string; readonly from: string; readonly to: string }>;
}

/** Strake's own: how images relate to one another and to what their names stood for. */
export function versionRoutes(versions: VersionsBackend): readonly Route[] {
  return [
    get('/strake/images/tree', async (request) => json(await versions.tree(parameter(request, 'name')))),
    // A line may be long in coming, and an error before the first one is an HTTP error.
    get('/strake/images/diff', (request) => lines(versions.diff(parameter(request, 'from'), parameter(request, 'to'), request.signal))),
    post('/strake/images/rollback', async (request) => {
      const version = request.query.text('version');
      const { name, from, to } = await versions.rollBack(parameter(request, 'name'), version === '' ? undefined : version);
      return json({ Name: name, From: from, To: to });
    }),
  ];
}

function parameter({ query }: ApiRequest, name: string): string {
  const value = query.text(name);
  if (value === '') throw new StrakeError('InvalidArgument', `bad parameter: ${name} cannot be empty`, { fields: { layer: 'engine' } });
  return value;
}
