import { isCode } from '../../base/index.ts';
import { documentLimitBytes } from '../../core/index.ts';
import { type Descriptor, digestOf, type Index, mediaTypes, parseImageDocument } from '../../oci/index.ts';
import { readLimited } from '../http/read-limited.ts';
import { registryLimits } from '../limits.ts';
import { fetchDocument, headerText } from './fetch-document.ts';
import { putManifest } from './put-manifest.ts';
import type { RegistryClient } from './registry-client.ts';
import { pullScope } from './registry-request.ts';

export interface ReferrersOptions {
  readonly repository: string;
  /** Digest of the manifest that is referred to. */
  readonly digest: string;
  readonly artifactType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Manifests that name another as their subject: signatures, SBOMs, attestations (distribution-spec, listing referrers). From a registry that keeps no list,
 * from the index that clients keep under the digest's tag. None is an empty list.
 */
export async function listReferrers(client: RegistryClient, options: ReferrersOptions): Promise<readonly Descriptor[]> {
  const listed = (await askList(client, options)) ?? (await readFallback(client, options))?.manifests ?? [];
  return options.artifactType === undefined ? listed : listed.filter(({ artifactType }) => artifactType === options.artifactType);
}

/** Undefined when the registry does not know the question. */
async function askList(client: RegistryClient, { repository, digest, artifactType, signal }: ReferrersOptions): Promise<Descriptor[] | undefined> {
  const [host] = await client.hosts('referrers').catch(() => []);
  if (host === undefined) return undefined;
  const found: Descriptor[] = [];
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`;
  let target: string | URL | undefined = `${repository}/referrers/${digest}${query}`;
  for (let page = 1; target !== undefined && page <= registryLimits.referrerPages; page++) {
    const url: string | URL = target;
    const response = await client.retry(host, signal, async () =>
      host.send({
        target: url,
        capability: 'referrers',
        scopes: [pullScope(repository)],
        headers: { accept: mediaTypes.ociIndex },
        accept: [200, 404, 400, 405],
        signal,
      }),
    );
    const type = headerText(response, 'content-type')?.split(';', 1)[0]?.trim();
    if (response.status !== 200 || type !== mediaTypes.ociIndex) {
      response.discard();
      return undefined;
    }
    const what = `referrers of ${digest}`;
    const document = parseImageDocument(await readLimited(response, documentLimitBytes, what), mediaTypes.ociIndex, what);
    if (document.kind === 'index') found.push(...document.index.manifests);
    target = await nextPage(headerText(response, 'link'), async (link) => await host.locationOf(link, url, signal));
  }
  return found;
}

/** RFC 8288: `<URL>; rel="next"`. */
async function nextPage(link: string | undefined, resolve: (link: string) => Promise<URL>): Promise<URL | undefined> {
  const [, url] = /^\s*<([^>]{1,2000})>\s*;\s*rel="?next"?/.exec(link ?? '') ?? [];
  return url === undefined ? undefined : await resolve(url);
}

/** distribution-spec, "Referrers Tag Schema": the digest with a dash. */
const fallbackTag = (digest: string): string => digest.replace(':', '-').slice(0, 128);

async function readFallback(client: RegistryClient, { repository, digest, signal }: ReferrersOptions): Promise<Index | undefined> {
  try {
    const { descriptor, bytes } = await fetchDocument(client, { domain: client.domain, path: repository, tag: fallbackTag(digest), digest: undefined }, signal);
    const document = parseImageDocument(bytes, descriptor.mediaType, `referrers of ${digest}`);
    return document.kind === 'index' ? document.index : undefined;
  } catch (error) {
    if (isCode(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** After the push of a manifest with a subject to a registry that keeps no list: the client keeps it. */
export async function addFallbackReferrer(
  client: RegistryClient,
  options: {
    readonly repository: string;
    readonly subject: Descriptor;
    readonly descriptor: Descriptor;
    readonly bytes: Uint8Array;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { repository, subject, descriptor, bytes, signal } = options;
  const before = await readFallback(client, { repository, digest: subject.digest, signal });
  const known = before?.manifests ?? [];
  if (known.some(({ digest }) => digest === descriptor.digest)) return;
  const { artifactType, annotations, config } = JSON.parse(Buffer.from(bytes).toString()) as {
    readonly artifactType?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly config?: Descriptor;
  };
  const { mediaType, digest, size } = descriptor;
  const type = artifactType || config?.mediaType;
  const entry: Descriptor = {
    mediaType,
    digest,
    size,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, entry] }));
  const stored = { mediaType: mediaTypes.ociIndex, digest: digestOf(index), size: index.length };
  await putManifest(client, { repository, name: fallbackTag(subject.digest), descriptor: stored, bytes: index, signal });
}
