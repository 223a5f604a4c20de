/** Images as archives: save, load, import. */
import { errorMessage, StrakeError } from '../../../base/index.ts';
import { type ApiRequest, body, lines, type Reply, stream } from '../../server/index.ts';
import type { ImagesBackend } from './backend.ts';
import { newName, platformJson, platformText } from './parameters.ts';

export async function saveArchive(images: ImagesBackend, names: readonly string[], request: ApiRequest): Promise<Reply> {
  if (names.length === 0) throw new StrakeError('InvalidArgument', 'no images to save: names is empty');
  return stream('application/x-tar', await images.save(names, { platform: platformJson(request), signal: request.signal }));
}

export function loadArchive(images: ImagesBackend, request: ApiRequest): Reply {
  const options = { quiet: request.query.bool('quiet', true), platform: platformJson(request), signal: request.signal };
  return lines(images.load(body(request), options), { errorLine });
}

/** `fromSrc` is `-`, for the request's body, or an address that the daemon fetches from. */
export function importArchive(images: ImagesBackend, request: ApiRequest): Reply {
  const { query, apiVersion, signal } = request;
  const source = query.text('fromSrc');
  const from = source === '-' || /^https?:\/\//.test(source) ? source : `http://${source}`;
  const options = {
    reference: newName(request, 'import'),
    message: query.text('message'),
    from,
    changes: query.all('changes'),
    platform: platformText(apiVersion.atLeast('1.32') ? query.text('platform') : ''),
    signal,
  };
  return lines(images.import(from === '-' ? body(request) : undefined, options), { errorLine });
}

export function errorLine(error: unknown): unknown {
  return { errorDetail: { message: errorMessage(error) }, error: errorMessage(error) };
}
