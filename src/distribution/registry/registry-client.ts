import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, StrakeError } from '../../base/index.ts';
import { documentLimitBytes } from '../../core/index.ts';
import {
  type Descriptor,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  mediaTypes,
  parseDigest,
  parseImageDocument,
  type Reference,
} from '../../oci/index.ts';
import { Authorizer } from '../auth/authorizer.ts';
import type { Credentials } from '../auth/credentials.ts';
import { readLimited } from '../http/read-limited.ts';
import { type HttpResponse, sendRequest } from '../http/request.ts';
import { defaultIdleTimeoutMs, registryLimits } from '../limits.ts';
import { type Endpoint, findEndpoint } from './endpoint.ts';
import { registryError } from './error-body.ts';

export interface RegistryClientOptions {
  readonly domain: string;
  readonly credentials?: Credentials | undefined;
  readonly insecureRegistries?: readonly string[];
  readonly idleTimeoutMs?: number;
  /** First pause between tries; doubles. */
  readonly retryDelayMs?: number;
}

export interface FetchedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const acceptedTypes = [mediaTypes.ociIndex, mediaTypes.dockerIndex, mediaTypes.ociManifest, mediaTypes.dockerManifest].join(', ');

/** Reads from one registry (distribution-spec 1.1). Authorization goes to its own origin only. */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #idleTimeoutMs: number;
  #hasAnswered = false;
  #endpoint: Promise<{ readonly endpoint: Endpoint; readonly authorizer: Authorizer }> | undefined;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  }

  /** Manifest or index of a reference, verified against the digest that was asked for and the one that the registry names. */
  async document(reference: Reference, signal?: AbortSignal): Promise<FetchedDocument> {
    const name = reference.digest ?? reference.tag ?? 'latest';
    const what = `manifest ${reference.path}:${name}`;
    const response = await this.request(`/v2/${reference.path}/manifests/${name}`, reference.path, { headers: { accept: acceptedTypes }, signal });
    const bytes = await readLimited(response, documentLimitBytes, what);
    const header = headerText(response, 'docker-content-digest');
    if (!(header === undefined || isDigest(header))) throw badReply(`${what}: the registry names ${JSON.stringify(`${header}`.slice(0, 160))} as its digest`);
    const digest = digestOf(bytes, parseDigest(reference.digest ?? header ?? digestOf('')).algorithm);
    for (const wanted of [reference.digest, header])
      if (wanted !== undefined && wanted !== digestOf(bytes, parseDigest(wanted).algorithm))
        throw badReply(`${what}: content has digest ${digest}, not ${wanted}`);
    const type = headerText(response, 'content-type')?.split(';', 1)[0]?.trim();
    const said = type !== undefined && (isIndexType(type) || isManifestType(type)) ? type : undefined;
    const document = parseImageDocument(bytes, said, what);
    const own = document.kind === 'index' ? document.index.mediaType : document.manifest.mediaType;
    const mediaType = own ?? said ?? (document.kind === 'index' ? mediaTypes.ociIndex : mediaTypes.ociManifest);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  /** GET with authorization (for a repository, or '' for the registry itself), redirects and tries. Answers 200, or 206 where a range was asked for; everything else is thrown. */
  async request(
    path: string,
    repository: string,
    {
      headers = {},
      attempts = registryLimits.attempts,
      signal,
    }: { readonly headers?: Readonly<Record<string, string>>; readonly attempts?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#authorized(path, repository, headers, signal);
      } catch (error) {
        if (!isTransient(error) || attempt >= attempts || (isRefused(error) && !this.#hasAnswered)) throw error;
        await this.pause(attempt, signal);
      }
    }
  }

  /** The pause before another try: doubling, with jitter so that many clients do not return together. */
  async pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const base = (this.#options.retryDelayMs ?? 500) * 2 ** (attempt - 1);
    await delay(base * (0.75 + Math.random() / 2), undefined, { signal: signal as AbortSignal });
  }

  async #authorized(path: string, repository: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const { endpoint, authorizer } = await this.#connect(signal);
    const scope = repository === '' ? '' : `repository:${repository}:pull`;
    const url = new URL(path, endpoint.base);
    for (let tries = 0; ; tries++) {
      const authorization = authorizer.header(scope);
      const response = await this.#follow(url, headers, authorization, endpoint, signal);
      this.#hasAnswered = true;
      if (response.status === 200 || response.status === 206) return response;
      if (response.status === 401 && tries < 2) {
        response.discard();
        if (await authorizer.answer(response, scope, signal)) continue;
      }
      throw await registryError(response, url);
    }
  }

  /** Follows redirects; the header stays at the origin that it is for. */
  async #follow(
    start: URL,
    headers: Readonly<Record<string, string>>,
    authorization: string | undefined,
    { base, verifyTls }: Endpoint,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    let url = start;
    for (let hops = 0; hops <= registryLimits.redirects; hops++) {
      const own: Record<string, string> = authorization !== undefined && url.origin === base.origin ? { authorization } : {};
      const response = await sendRequest({
        url,
        headers: { ...headers, ...own },
        signal,
        idleTimeoutMs: this.#idleTimeoutMs,
        // An insecure registry is one host; where it redirects to is another.
        verifyTls: verifyTls || url.hostname !== base.hostname,
      });
      const location = response.headers.location;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
      response.discard();
      url = nextUrl(location, url, base);
    }
    throw new StrakeError('Unavailable', `${start.host}: more than ${registryLimits.redirects} redirects`, {
      fields: { layer: 'distribution', url: start.href },
    });
  }

  async #connect(signal: AbortSignal | undefined): Promise<{ readonly endpoint: Endpoint; readonly authorizer: Authorizer }> {
    this.#endpoint ??= this.#find(signal);
    try {
      return await this.#endpoint;
    } catch (error) {
      this.#endpoint = undefined;
      throw error;
    }
  }

  async #find(signal: AbortSignal | undefined): Promise<{ readonly endpoint: Endpoint; readonly authorizer: Authorizer }> {
    const { domain, insecureRegistries = [], credentials } = this.#options;
    const endpoint = await findEndpoint(domain, { insecureRegistries, idleTimeoutMs: this.#idleTimeoutMs, signal });
    const { verifyTls, base } = endpoint;
    return { endpoint, authorizer: new Authorizer({ credentials, idleTimeoutMs: this.#idleTimeoutMs, verifyTls, allowPlain: base.protocol === 'http:' }) };
  }
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

/** Nobody listens: one that has answered before is being restarted perhaps, any other is not there. */
function isRefused(error: unknown): boolean {
  return error instanceof StrakeError && error.fields['errno'] === 'ECONNREFUSED';
}

/** Worth another try: no connection, or a server that is busy. Not silence: its time has been waited for already. */
export function isTransient(error: unknown): boolean {
  const codes: readonly ErrorCode[] = ['Unavailable', 'ResourceExhausted'];
  return error instanceof StrakeError && codes.includes(error.code);
}

function headerText(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function badReply(problem: string): StrakeError {
  return new StrakeError('DataLoss', problem, { fields: { layer: 'distribution' } });
}
