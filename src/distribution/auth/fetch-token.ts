import { StrakeError } from '../../base/index.ts';
import type { Proxies } from '../http/proxies.ts';
import { readLimited } from '../http/read-limited.ts';
import { type HttpResponse, sendRequest } from '../http/request.ts';
import type { TlsSettings } from '../http/tls.ts';
import { registryLimits } from '../limits.ts';
import { basicHeader, type Credentials } from './credentials.ts';

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credentials: Credentials | undefined;
  readonly idleTimeoutMs: number;
  readonly tls: TlsSettings;
  readonly proxies: Proxies | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Token {
  /** Visible ASCII: safe in a header. */
  readonly text: string;
  readonly lifeSeconds: number;
}

/** distribution's token specification: a token without expires_in is good for 60 s. */
const defaultTokenLifeSeconds = 60;
const maxTokenLifeSeconds = 3600;

/** Asks a token server: by a GET as the token specification has it, or for an identity token by the POST of its OAuth2 form. */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { realm } = request;
  const response = request.credentials?.kind === 'identity-token' ? await post(request, request.credentials.token) : await get(request);
  const body = await readLimited(response, registryLimits.tokenBytes, `token of ${realm.host}`);
  if (response.status === 200) return parseToken(body, realm.host);
  throw new StrakeError(isRefusal(response.status) ? 'Unauthenticated' : 'Unavailable', `token server ${realm.host} answered ${response.status}`, {
    fields: { layer: 'distribution' },
  });
}

const isRefusal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429;

async function get({ realm, service, scopes, credentials, ...common }: TokenRequest): Promise<HttpResponse> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers: Record<string, string> = credentials?.kind === 'password' ? { authorization: basicHeader(credentials) } : {};
  return await sendRequest({ ...common, url, headers });
}

async function post({ realm, service, scopes, credentials: _, ...common }: TokenRequest, refreshToken: string): Promise<HttpResponse> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'strake' });
  if (service !== undefined) form.append('service', service);
  if (scopes.length > 0) form.append('scope', scopes.join(' '));
  return await sendRequest({ ...common, url: realm, method: 'POST', body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
}

function parseToken(body: Buffer, host: string): Token {
  let reply: { readonly token?: unknown; readonly access_token?: unknown; readonly expires_in?: unknown } | null;
  try {
    reply = JSON.parse(body.toString()) as typeof reply;
  } catch (cause) {
    throw new StrakeError('Unauthenticated', `token server ${host} answered no JSON`, { cause, fields: { layer: 'distribution' } });
  }
  const text = reply?.token || reply?.access_token;
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text))
    throw new StrakeError('Unauthenticated', `token server ${host} answered without a token`, { fields: { layer: 'distribution' } });
  const seconds = typeof reply?.expires_in === 'number' && reply.expires_in > 0 ? reply.expires_in : defaultTokenLifeSeconds;
  return { text, lifeSeconds: Math.min(seconds, maxTokenLifeSeconds) };
}
