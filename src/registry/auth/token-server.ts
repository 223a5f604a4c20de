import { registryError } from '../errors.ts';
import { json, type RegistryRequest, type Reply } from '../http/message.ts';
import type { AccessRules } from './access-rules.ts';
import { basicCredentials } from './basic.ts';
import type { Action } from './gate.ts';
import type { Passwords } from './passwords.ts';
import { parseScopes, type Scope } from './scope.ts';
import type { TokenSigner } from './token.ts';

export interface TokenServerOptions {
  readonly signer: TokenSigner;
  readonly passwords: Passwords;
  readonly rules: AccessRules;
  readonly issuer: string;
  readonly service: string;
  readonly lifeSeconds?: number;
  readonly nowMs?: () => number;
}

/** Long enough for one push of a large image, whose last request is made with the first one's token. */
const defaultLifeSeconds = 900;
const maxFormBytes = 64 << 10;
const actions: readonly Action[] = ['pull', 'push', 'delete'];

/** Gives out tokens, by GET with Basic credentials or by POST as OAuth 2 has it (distribution's "Docker Registry v2 authentication"). */
export function createTokenServer(options: TokenServerOptions): (request: RegistryRequest) => Promise<Reply> {
  const { signer, passwords, rules, issuer, service, lifeSeconds = defaultLifeSeconds, nowMs = Date.now } = options;
  return async (request) => {
    const { user, password, scopes } = request.method === 'POST' ? await readForm(request) : readQuery(request);
    if (user !== '' && !(await passwords.verify(user, password)))
      throw registryError('UNAUTHORIZED', 'authentication required', { headers: { 'WWW-Authenticate': 'Basic realm="strake registry"' } });
    const now = Math.floor(nowMs() / 1000);
    const access = scopes.flatMap((scope) => grant(rules, user, scope));
    const token = signer.sign({ iss: issuer, sub: user, aud: service, nbf: now, exp: now + lifeSeconds, access });
    return json({ token, access_token: token, expires_in: lifeSeconds, issued_at: new Date(now * 1000).toISOString() }, { 'Cache-Control': 'no-store' });
  };
}

interface TokenRequest {
  readonly user: string;
  readonly password: string;
  readonly scopes: readonly Scope[];
}

function readQuery({ method, headers, query }: RegistryRequest): TokenRequest {
  if (method !== 'GET') throw registryError('UNSUPPORTED', 'tokens are to be had by GET or POST', { headers: { Allow: 'GET, POST' } });
  if (headers.authorization !== undefined && basicCredentials(headers) === undefined)
    throw registryError('UNAUTHORIZED', 'authentication required', { headers: { 'WWW-Authenticate': 'Basic realm="strake registry"' } });
  return { ...(basicCredentials(headers) ?? { user: '', password: '' }), scopes: parseScopes(query.getAll('scope')) };
}

async function readForm({ body }: RegistryRequest): Promise<TokenRequest> {
  let text = '';
  for await (const chunk of body) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.length > maxFormBytes) throw registryError('SIZE_INVALID', 'the form is too large');
  }
  const form = new URLSearchParams(text);
  // There are no refresh tokens: clients that ask for one keep the password.
  if (form.get('grant_type') !== 'password') throw registryError('UNAUTHORIZED', 'only the grant of type password is given');
  const user = form.get('username') ?? '';
  if (user === '') throw registryError('UNAUTHORIZED', 'authentication required');
  return { user, password: form.get('password') ?? '', scopes: parseScopes(form.getAll('scope')) };
}

/** As much of what is asked for as the user may do: a client asks for more than it needs. */
function grant(rules: AccessRules, user: string, { type, name, actions: wanted }: Scope): Scope[] {
  if (type === 'registry' && name === 'catalog') return user === '' ? [] : [{ type, name, actions: ['*'] }];
  if (type !== 'repository') return [];
  const given = actions.filter((action) => (wanted.includes(action) || wanted.includes('*')) && rules.may(user, name, action));
  return given.length === 0 ? [] : [{ type, name, actions: given }];
}
