import { mediaTypes } from '../../oci/index.ts';
import type { Client } from '../auth/gate.ts';
import { registryError } from '../errors.ts';
import { json, queryText, type RegistryRequest } from '../http/message.ts';
import { limits } from '../limits.ts';
import { checkDigest } from '../names.ts';
import type { Catalogue, Listed, Page } from '../store/catalogue.ts';
import type { Endpoint } from './endpoint.ts';

export const listTags: Endpoint<'tags'> = {
  action: 'pull',
  async handle({ catalogue }, request, { repository }) {
    if (!catalogue.hasRepository(repository)) throw registryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name: repository } });
    const { entries, link } = paged(request, (page) => catalogue.tags(repository, page));
    return json({ name: repository, tags: entries }, link(entries.at(-1)));
  },
};

export const listRepositories: Endpoint<'catalogue'> = {
  action: 'list',
  async handle({ catalogue }, request, _target, client) {
    const { entries, link } = paged(request, (page) => visible(catalogue, page, client));
    return json({ repositories: entries }, link(entries.at(-1)));
  },
};

/** Of the repositories that the client may know of. */
function visible(catalogue: Catalogue, { last, limit }: Page, client: Client): Listed<string> {
  const seen: string[] = [];
  for (let after = last; ; ) {
    const { entries, hasMore } = catalogue.repositories({ last: after, limit: limits.pageEntries });
    seen.push(...entries.filter((name) => client.sees(name)));
    if (!hasMore || seen.length > limit) return { entries: seen.slice(0, limit), hasMore: seen.length > limit };
    after = entries.at(-1);
  }
}

export const listReferrers: Endpoint<'referrers'> = {
  action: 'pull',
  async handle({ catalogue }, request, { repository, reference }) {
    const subject = checkDigest(reference);
    const artifactType = queryText(request.query, 'artifactType');
    const { entries, link } = paged(request, (page) => catalogue.referrers(repository, subject, page));
    const manifests = artifactType === undefined ? entries : entries.filter((entry) => entry.artifactType === artifactType);
    return {
      ...json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
      headers: {
        'Content-Type': mediaTypes.ociIndex,
        ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
        ...link(entries.at(-1)?.digest),
      },
    };
  },
};

/** `n` and `last` of a listing, and the Link to what follows (RFC 8288), which is there whenever something does. */
function paged<T>({ path, query }: RegistryRequest, list: (page: Page) => Listed<T>) {
  const wanted = query.get('n');
  if (wanted !== null && !/^\d{1,9}$/.test(wanted))
    throw registryError('PAGINATION_NUMBER_INVALID', `invalid number of results requested: ${JSON.stringify(wanted.slice(0, 32))}`);
  const limit = Math.min(wanted === null ? limits.pageEntries : Number(wanted), limits.pageEntries);
  const { entries, hasMore } = list({ last: queryText(query, 'last'), limit });
  return {
    entries,
    link(last: string | undefined): Record<string, string> {
      if (!hasMore || last === undefined) return {};
      const next = new URLSearchParams(query);
      next.set('last', last);
      next.set('n', String(limit));
      return { Link: `<${path}?${next}>; rel="next"` };
    },
  };
}
