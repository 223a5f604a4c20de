import { StrakeError, untilAborted } from '../../base/index.ts';
import type { Proxies } from '../http/proxies.ts';
import type { HttpResponse } from '../http/request.ts';
import { type TlsSettings, tlsElsewhere } from '../http/tls.ts';
import { parseChallenges } from './challenge.ts';
import { basicHeader, type Credentials } from './credentials.ts';
import { fetchToken } from './fetch-token.ts';

export interface AuthorizerOptions {
  readonly credentials: Credentials | undefined;
  readonly idleTimeoutMs: number;
  /** The registry that is spoken to, and how. */
  readonly base: URL;
  readonly tls: TlsSettings;
  readonly proxies: Proxies | undefined;
  /** ms, monotonic */
  readonly now?: () => number;
}

interface TokenServer {
  readonly realm: URL;
  readonly service: string | undefined;
}

/** A challenge names a handful of scopes; more are not asked for. */
const maxScopes = 16;

/** Makes the Authorization header for one registry, as its challenges ask for: basic, or bearer with tokens that are kept by scope and renewed before they end. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #now: () => number;
  readonly #tokens = new Map<string, { readonly header: string; readonly expiresAtMs: number }>();
  /** Of requests at the same time one asks. */
  readonly #asking = new Map<string, Promise<void>>();
  #server: TokenServer | undefined;
  #basic: string | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    if (options.credentials?.kind === 'registry-token') this.#basic = `Bearer ${options.credentials.token}`;
  }

  /** The header for a request of these scopes. A registry that is known to want tokens is not asked without one: the body of an upload would be sent twice. */
  async header(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#server === undefined) return this.#basic;
    const key = keyOf(scopes);
    if (!this.#isValid(key)) await this.#ask(this.#server, key, scopes, signal);
    return this.#tokens.get(key)?.header;
  }

  /** After a 401 to a request with the header `sent`: true when there is another to try. Requests at the same time may all have gone without one. */
  async answer(response: HttpResponse, sent: string | undefined, scopes: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    const header = response.headers['www-authenticate'] ?? '';
    const challenges = parseChallenges(Array.isArray(header) ? header.join(', ') : header);
    const { credentials } = this.#options;
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined && credentials?.kind !== 'registry-token') {
      const { parameters } = bearer;
      const server: TokenServer = { realm: this.#realm(parameters.get('realm') ?? ''), service: parameters.get('service') };
      const named = (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
      const key = keyOf(scopes);
      this.#tokens.delete(key);
      await this.#ask(server, key, [...new Set([...scopes, ...named])].slice(0, maxScopes), signal);
      this.#server = server;
      return true;
    }
    if (!challenges.some((challenge) => challenge.scheme === 'basic') || credentials?.kind !== 'password') return false;
    this.#basic = basicHeader(credentials);
    return sent !== this.#basic;
  }

  #isValid(key: string): boolean {
    const token = this.#tokens.get(key);
    return token !== undefined && token.expiresAtMs > this.#now();
  }

  async #ask(server: TokenServer, key: string, scopes: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#fetch(server, key, scopes).finally(() => this.#asking.delete(key));
      asking.catch(() => undefined);
      this.#asking.set(key, asking);
    }
    await untilAborted(asking, signal);
  }

  /** Without the signal of who asks first: others wait for the same token. */
  async #fetch({ realm, service }: TokenServer, key: string, scopes: readonly string[]): Promise<void> {
    const { credentials, idleTimeoutMs, base, proxies } = this.#options;
    const tls = realm.hostname === base.hostname ? this.#options.tls : tlsElsewhere(this.#options.tls);
    const token = await fetchToken({ realm, service, scopes, credentials, idleTimeoutMs, tls, proxies, signal: undefined });
    // A little early, for the time that a request takes.
    this.#tokens.set(key, { header: `Bearer ${token.text}`, expiresAtMs: this.#now() + token.lifeSeconds * 900 });
  }

  /** Credentials go to the realm that the registry names: over TLS, unless the registry itself is plain. */
  #realm(text: string): URL {
    const url = URL.parse(text);
    if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && this.#options.base.protocol === 'http:')))
      throw new StrakeError('Unauthenticated', `registry names ${JSON.stringify(text.slice(0, 200))} as its token server: not an https address`, {
        fields: { layer: 'distribution' },
      });
    url.username = '';
    url.password = '';
    return url;
  }
}

const keyOf = (scopes: readonly string[]) => [...scopes].sort().join(' ');
