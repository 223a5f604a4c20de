import { StrakeError } from '../../base/index.ts';
import { Authorizer } from '../auth/authorizer.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { PlainHosts } from '../hosts/plain-hosts.ts';
import type { RegistryHost } from '../hosts/registry-host.ts';
import { dial } from '../http/dial.ts';
import type { Proxies } from '../http/proxies.ts';
import { type HttpResponse, sendRequest } from '../http/request.ts';
import { tlsElsewhere } from '../http/tls.ts';
import { registryLimits } from '../limits.ts';
import { registryError } from './error-body.ts';
import type { RegistryRequest } from './registry-request.ts';

export interface HostClientOptions {
  readonly host: RegistryHost;
  readonly credentials: Credentials | undefined;
  readonly idleTimeoutMs: number;
  readonly proxies: Proxies | undefined;
  readonly plainHosts: PlainHosts | undefined;
}

interface Connection {
  /** As it turned out: an insecure registry may be plain. */
  readonly base: URL;
  readonly authorizer: Authorizer;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Speaks to one host. Authorization, its own headers and its client certificate go to its own origin only. */
export class HostClient {
  readonly host: RegistryHost;
  readonly #credentials: Credentials | undefined;
  readonly #idleTimeoutMs: number;
  readonly #proxies: Proxies | undefined;
  readonly #plainHosts: PlainHosts | undefined;
  #connection: Promise<Connection> | undefined;
  #hasAnswered = false;

  constructor({ host, credentials, idleTimeoutMs, proxies, plainHosts }: HostClientOptions) {
    this.host = host;
    this.#credentials = credentials;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#proxies = proxies;
    this.#plainHosts = plainHosts;
  }

  /** It did once: when nobody listens now, it is being restarted perhaps. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** One exchange with authorization and redirects. Throws the registry's error for a status that is not accepted. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const { signal, scopes, accept = [200] } = request;
    const { base, authorizer } = await this.#connect(signal);
    const url = typeof request.target === 'string' ? new URL(request.target, base) : request.target;
    for (let tries = 0; ; tries++) {
      const authorization = await authorizer.header(scopes, signal);
      const response = await this.#answer(url, request, authorization, base);
      if (accept.includes(response.status)) return response;
      if (response.status === 401 && tries < 2 && (await this.#challenged(response, authorizer, authorization, request))) continue;
      throw await registryError(response, url);
    }
  }

  async #answer(url: URL, request: RegistryRequest, authorization: string | undefined, base: URL): Promise<HttpResponse> {
    try {
      const response = await this.#follow(url, request, authorization, base);
      this.#hasAnswered = true;
      if (this.host.mayBePlain && base.protocol === 'http:') this.#plainHosts?.add(base.host);
      return response;
    } catch (error) {
      this.#plainHosts?.delete(base.host);
      throw error;
    }
  }

  /** Where an answer's Location leads, seen from what was asked: for the next request of an upload. */
  async location(response: HttpResponse, from: string | URL, signal: AbortSignal | undefined): Promise<URL> {
    const { location } = response.headers;
    if (location !== undefined) return await this.locationOf(location, from, signal);
    throw new StrakeError('Unavailable', `${this.host.base.host} does not say where the upload goes on`, {
      fields: { layer: 'distribution', from: String(from) },
    });
  }

  /** The address of a link in an answer: https, unless the host itself is plain. */
  async locationOf(link: string, from: string | URL, signal: AbortSignal | undefined): Promise<URL> {
    const { base } = await this.#connect(signal);
    return nextUrl(link, typeof from === 'string' ? new URL(from, base) : from, base);
  }

  async #challenged(response: HttpResponse, authorizer: Authorizer, sent: string | undefined, { scopes, signal }: RegistryRequest): Promise<boolean> {
    const isWorthIt = await authorizer.answer(response, sent, scopes, signal);
    if (isWorthIt) response.discard();
    return isWorthIt;
  }

  async #follow(
    start: URL,
    { method = 'GET', headers = {}, body, signal }: RegistryRequest,
    authorization: string | undefined,
    base: URL,
  ): Promise<HttpResponse> {
    let url = start;
    for (let hops = 0; hops <= registryLimits.redirects; hops++) {
      const isOwn = url.origin === base.origin;
      const own: Record<string, string> = isOwn ? { ...this.host.headers, ...(authorization === undefined ? {} : { authorization }) } : {};
      const response = await sendRequest({
        url,
        method,
        headers: { ...headers, ...own },
        ...(body === undefined ? {} : { body }),
        signal,
        idleTimeoutMs: this.#idleTimeoutMs,
        tls: isOwn ? this.host.tls : tlsElsewhere(this.host.tls),
        proxies: this.#proxies,
      });
      const { location } = response.headers;
      if (!redirects.includes(response.status) || location === undefined) return response;
      // RFC 9110 15.4: the older three may turn the request into a GET, which for an upload means nothing.
      if (!(method === 'GET' || method === 'HEAD' || response.status >= 307)) return response;
      response.discard();
      url = nextUrl(location, url, base);
    }
    throw new StrakeError('Unavailable', `${start.host}: more than ${registryLimits.redirects} redirects`, {
      fields: { layer: 'distribution', url: start.href, errno: 'ELOOP' },
    });
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    this.#connection ??= this.#find(signal);
    try {
      return await this.#connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }

  async #find(signal: AbortSignal | undefined): Promise<Connection> {
    const { dialTimeoutMs, tls } = this.host;
    if (dialTimeoutMs !== undefined) await dial(this.#proxies?.proxyFor(this.host.base) ?? this.host.base, dialTimeoutMs, signal);
    const base = this.host.mayBePlain ? await this.#probe(signal) : this.host.base;
    return { base, authorizer: new Authorizer({ credentials: this.#credentials, idleTimeoutMs: this.#idleTimeoutMs, base, tls, proxies: this.#proxies }) };
  }

  /** docker's way with insecure registries: https with any certificate, and then http. */
  async #probe(signal: AbortSignal | undefined): Promise<URL> {
    const { base, tls } = this.host;
    if (this.#plainHosts?.has(base.host)) return overHttp(base);
    try {
      const response = await sendRequest({ url: base, idleTimeoutMs: this.#idleTimeoutMs, tls, proxies: this.#proxies, signal });
      response.discard();
      return base;
    } catch (error) {
      if (!(error instanceof StrakeError)) throw error;
      return overHttp(base);
    }
  }
}

function overHttp(base: URL): URL {
  const plain = new URL(base);
  plain.protocol = 'http:';
  return plain;
}

function nextUrl(location: string, from: URL, base: URL): URL {
  const url = URL.parse(location, from.href);
  const isPlainAllowed = base.protocol === 'http:';
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isPlainAllowed)))
    throw new StrakeError('Unavailable', `${from.host} redirects to ${JSON.stringify(location.slice(0, 200))}: not an https address`, {
      fields: { layer: 'distribution' },
    });
  url.username = '';
  url.password = '';
  return url;
}
