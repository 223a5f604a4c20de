/** Search: the Hub has a service for it, other registries at best a catalogue of their repositories, which is looked through here. */
import { StrakeError } from '../base/index.ts';
import { documentLimitBytes } from '../core/index.ts';
import { parseJson, parseReference } from '../oci/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { readLimited } from './http/read-limited.ts';
import { sendRequest } from './http/request.ts';
import { defaultIdleTimeoutMs } from './limits.ts';
import { headerText } from './registry/fetch-document.ts';
import { RegistryClient, type RegistrySettings } from './registry/registry-client.ts';

export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly starCount: number;
  readonly isOfficial: boolean;
}

export interface SearchOptions {
  /** What is looked for; with a registry before it (`localhost:5000/app`), there. */
  readonly term: string;
  /** 1 to 100 */
  readonly limit: number;
  readonly credentials?: Credentials | undefined;
  readonly signal: AbortSignal;
}

export type SearchRepositories = (options: SearchOptions) => Promise<readonly FoundRepository[]>;

const hub = 'index.docker.io';
/** Of a registry with more repositories the rest is not looked at. */
const cataloguePages = 100;
const pageEntries = 1000;

export function createSearch(settings: RegistrySettings): SearchRepositories {
  return async (options) => {
    const { domain, rest } = splitTerm(options.term);
    return domain === undefined ? await searchHub(options, settings) : await searchCatalogue(options, domain, rest, settings);
  };
}

/** As in references: what has a dot or a colon, or is localhost, is a registry. */
function splitTerm(term: string): { readonly domain: string | undefined; readonly rest: string } {
  const slash = term.indexOf('/');
  const first = term.slice(0, Math.max(slash, 0));
  if (!(/[.:]/.test(first) || first === 'localhost')) return { domain: undefined, rest: term };
  const { domain } = parseReference(`${first}/any`);
  return { domain: domain === 'docker.io' ? undefined : domain, rest: term.slice(slash + 1) };
}

/** The registry API of version 1, which the Hub keeps for this alone. */
async function searchHub(
  { term, limit, signal }: SearchOptions,
  { idleTimeoutMs = defaultIdleTimeoutMs, proxies }: RegistrySettings,
): Promise<readonly FoundRepository[]> {
  const query = new URLSearchParams({ q: term.replace(/^(?:index\.)?docker\.io\//, ''), n: String(limit) });
  const response = await sendRequest({ url: new URL(`https://${hub}/v1/search?${query}`), idleTimeoutMs, tls: { verify: true }, proxies, signal });
  const what = `search of ${hub}`;
  const bytes = await readLimited(response, documentLimitBytes, what);
  if (response.status !== 200)
    throw new StrakeError('Unavailable', `${what}: unexpected status code ${response.status}`, { fields: { layer: 'distribution' } });
  return resultsOf(bytes, what).slice(0, limit);
}

function resultsOf(bytes: Uint8Array, what: string): readonly FoundRepository[] {
  const { results } = (parseJson(Buffer.from(bytes).toString(), what) ?? {}) as { readonly results?: unknown };
  if (!Array.isArray(results)) throw new StrakeError('DataLoss', `${what}: the answer has no results`, { fields: { layer: 'distribution' } });
  return (results as readonly Readonly<Record<string, unknown>>[]).map((result) => ({
    name: textOf(result['name']),
    description: textOf(result['description']),
    starCount: typeof result['star_count'] === 'number' ? result['star_count'] : 0,
    isOfficial: result['is_official'] === true,
  }));
}

async function searchCatalogue(
  { limit, credentials, signal }: SearchOptions,
  domain: string,
  term: string,
  settings: RegistrySettings,
): Promise<readonly FoundRepository[]> {
  const client = new RegistryClient({ ...settings, domain, credentials });
  const found: FoundRepository[] = [];
  let last: string | undefined;
  for (let page = 0; page < cataloguePages && found.length < limit; page++) {
    const query = new URLSearchParams({ n: String(pageEntries), ...(last === undefined ? {} : { last }) });
    const response = await client.request({ target: `_catalog?${query}`, capability: 'resolve', scopes: ['registry:catalog:*'], signal });
    const what = `catalogue of ${domain}`;
    const { repositories } = (parseJson((await readLimited(response, documentLimitBytes, what)).toString(), what) ?? {}) as { readonly repositories?: unknown };
    const names = Array.isArray(repositories) ? repositories.filter((name): name is string => typeof name === 'string') : [];
    for (const name of names) if (name.includes(term)) found.push({ name: `${domain}/${name}`, description: '', starCount: 0, isOfficial: false });
    const next = names.at(-1);
    if (headerText(response, 'link') === undefined || next === undefined || next === last) break;
    last = next;
  }
  return found.slice(0, limit);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
