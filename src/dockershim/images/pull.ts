import type { criImages } from '../../api/cri/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';
import { refuse } from '../refuse.ts';

interface PullProgress {
  readonly error?: string;
}

/** Throws what the engine says when the pull fails. */
export async function pullImage(client: EngineClient, name: string, auth: criImages.AuthConfig | undefined, signal: AbortSignal): Promise<void> {
  const headers = auth === undefined ? {} : { 'X-Registry-Auth': Buffer.from(JSON.stringify(credentials(auth))).toString('base64url') };
  for await (const { error } of client.lines<PullProgress>('POST', '/images/create', { query: pullQuery(name), headers, signal }))
    if (error !== undefined)
      throw refuse(
        /not found|does not exist|manifest unknown/i.test(error) ? 'NotFound' : 'Unavailable',
        `failed to pull and unpack image "${name}": ${error}`,
      );
}

/** Without a tag the engine would pull all of them. */
function pullQuery(name: string): { readonly fromImage: string; readonly tag: string } {
  const digest = name.indexOf('@');
  if (digest >= 0) return { fromImage: name.slice(0, digest).replace(/:[^:/]*$/, ''), tag: name.slice(digest + 1) };
  const tag = /:([^:/]+)$/.exec(name);
  return tag === null ? { fromImage: name, tag: 'latest' } : { fromImage: name.slice(0, tag.index), tag: tag[1] ?? '' };
}

function credentials({ username, password, auth, serverAddress, identityToken, registryToken }: criImages.AuthConfig) {
  const [user = '', ...rest] = auth === '' ? [username, password] : Buffer.from(auth, 'base64').toString().replaceAll('\0', '').split(':');
  return {
    username: user,
    password: rest.join(':'),
    serveraddress: serverAddress,
    ...(identityToken === '' ? {} : { identitytoken: identityToken }),
    ...(registryToken === '' ? {} : { registrytoken: registryToken }),
  };
}
