import { StrakeError } from '../../base/index.ts';
import { readLimited } from '../http/read-limited.ts';
import { type HttpResponse, sendRequest } from '../http/request.ts';
import { registryLimits } from '../limits.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';

export interface AuthorizerOptions {
  readonly credentials: Credentials | undefined;
  readonly idleTimeoutMs: number;
  readonly verifyTls: boolean;
  /** May tokens be asked for over plain HTTP: only when the registry itself is spoken to so. */
  readonly allowPlain: boolean;
  /** ms, monotonic */
  readonly now?: () => number;
}

/** distribution's token specification: a token without expires_in is good for 60 s. */
const defaultTokenLifeSeconds = 60;
const maxTokenLifeSeconds = 3600;

/** Makes the Authorization header for one registry, as its challenges ask for: basic, or bearer with tokens that are kept by scope. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #now: () => number;
  readonly #tokens = new Map<string, { readonly header: string; readonly expiresAtMs: number }>();
  #basic: string | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    if (options.credentials?.kind === 'registry-token') this.#basic = `Bearer ${options.credentials.token}`;
  }

  /** The header for a request of this scope, if one is known. */
  header(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    if (token !== undefined && token.expiresAtMs > this.#now()) return token.header;
    return this.#basic;
  }

  /** After a 401: true when there is a new header to try. */
  async answer(response: HttpResponse, scope: string, signal: AbortSignal | undefined): Promise<boolean> {
    const header = response.headers['www-authenticate'] ?? '';
    const challenges = parseChallenges(Array.isArray(header) ? header.join(', ') : header);
    const { credentials } = this.#options;
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined && credentials?.kind !== 'registry-token') {
      const rejected = this.#tokens.delete(scope);
      await this.#fetchToken(bearer, scope, signal);
      return !rejected || this.#tokens.has(scope);
    }
    if (challenges.some((challenge) => challenge.scheme === 'basic') && credentials?.kind === 'password' && this.#basic === undefined) {
      this.#basic = basicHeader(credentials);
      return true;
    }
    return false;
  }

  async #fetchToken({ parameters }: Challenge, scope: string, signal: AbortSignal | undefined): Promise<void> {
    const realm = this.#realm(parameters.get('realm') ?? '');
    const service = parameters.get('service');
    const { credentials, idleTimeoutMs, verifyTls } = this.#options;
    const wanted = parameters.get('scope') ?? scope;
    const query = new URLSearchParams({ ...(service === undefined ? {} : { service }), ...(wanted === '' ? {} : { scope: wanted }) });
    const common = { signal, idleTimeoutMs, verifyTls };
    let response: HttpResponse;
    if (credentials?.kind === 'identity-token') {
      const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credentials.token, client_id: 'strake', ...Object.fromEntries(query) });
      response = await sendRequest({
        ...common,
        url: realm,
        method: 'POST',
        body: form.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    } else {
      for (const [name, value] of query) realm.searchParams.append(name, value);
      const headers: Record<string, string> = credentials?.kind === 'password' ? { authorization: basicHeader(credentials) } : {};
      response = await sendRequest({ ...common, url: realm, headers });
    }
    const body = await readLimited(response, registryLimits.tokenBytes, `token of ${realm.host}`);
    if (response.status !== 200)
      throw new StrakeError(
        response.status === 401 || response.status === 403 ? 'Unauthenticated' : 'Unavailable',
        `token server ${realm.host} answered ${response.status}`,
        {
          fields: { layer: 'distribution' },
        },
      );
    this.#keep(scope, body, realm.host);
  }

  #keep(scope: string, body: Buffer, host: string): void {
    let reply: { readonly token?: unknown; readonly access_token?: unknown; readonly expires_in?: unknown };
    try {
      reply = JSON.parse(body.toString()) as typeof reply;
    } catch (cause) {
      throw new StrakeError('Unauthenticated', `token server ${host} answered no JSON`, { cause, fields: { layer: 'distribution' } });
    }
    const token = reply.token || reply.access_token;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new StrakeError('Unauthenticated', `token server ${host} answered without a token`, { fields: { layer: 'distribution' } });
    const seconds = typeof reply.expires_in === 'number' && reply.expires_in > 0 ? reply.expires_in : defaultTokenLifeSeconds;
    // A little early, for the time that a request takes.
    const lifeMs = Math.min(seconds, maxTokenLifeSeconds) * 900;
    this.#tokens.set(scope, { header: `Bearer ${token}`, expiresAtMs: this.#now() + lifeMs });
  }

  /** Credentials go to the realm that the registry names: over TLS, unless the registry itself is plain. */
  #realm(text: string): URL {
    const url = URL.parse(text);
    if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && this.#options.allowPlain)))
      throw new StrakeError('Unauthenticated', `registry names ${JSON.stringify(text.slice(0, 200))} as its token server: not an https address`, {
        fields: { layer: 'distribution' },
      });
    url.username = '';
    url.password = '';
    return url;
  }
}

function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
