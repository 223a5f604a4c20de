import type { Client, Gate } from '../auth/gate.ts';
import type { RegistryRequest, Reply } from '../http/message.ts';
import type { Listed } from '../store/catalogue.ts';
import type { Storage } from '../store/storage.ts';
import { formatBytes, formatTime } from './format.ts';
import { Html, html } from './html.ts';
import { type ImageView, imagesOf } from './image-view.ts';
import { style } from './style.ts';

export interface PageOptions {
  readonly storage: Storage;
  /** Passwords: a browser has no tokens. */
  readonly gate: Gate;
}

/** Rows of one page; what is left has a link. */
const rowsPerPage = 100;
const repositoryPath = '/repositories/';

/** The pages for people: the repositories, and a repository's tags with their layers and sizes. undefined: not one of them. */
export function createPages({ storage, gate }: PageOptions): (request: RegistryRequest) => Promise<Reply | undefined> {
  return async (request) => {
    const { path, method, query } = request;
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    if (path === '/style.css') return { status: 200, headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'max-age=3600' }, body: style };
    if (path !== '/' && !path.startsWith(repositoryPath)) return undefined;
    const client = await gate.identify(request);
    if (!client.mayList) throw gate.refusal(request, client, { repository: undefined, action: 'list' });
    const last = query.get('last') ?? undefined;
    if (path === '/') return page('Repositories', repositoryList(storage, client, last));
    const repository = decodeName(path.slice(repositoryPath.length));
    if (storage.catalogue.summary(repository) === undefined || !client.sees(repository))
      return page('Not found', html`<p>There is no such repository.</p>`, 404);
    return page(repository, await tagList(storage, request, repository, last));
  };
}

function repositoryList({ catalogue }: Storage, client: Client, last: string | undefined): Html {
  const listed = catalogue.repositories({ last, limit: rowsPerPage });
  const rows = listed.entries.filter((name) => client.sees(name)).map((name) => repositoryRow(name, catalogue.summary(name)));
  if (rows.length === 0 && !listed.hasMore) return html`<p>There is nothing here yet.</p>`;
  return html`<table>
<thead><tr><th>Repository</th><th class="number">Tags</th><th class="number">Manifests</th><th class="number">Size</th><th>Last push (UTC)</th></tr></thead>
<tbody>${rows}</tbody>
</table>${more('/', listed)}`;
}

function repositoryRow(name: string, summary: ReturnType<Storage['catalogue']['summary']>): Html {
  const { tags = 0, manifests = 0, blobBytes = 0, pushedAt } = summary ?? {};
  return html`<tr><td><a href="${repositoryPath}${name}">${name}</a></td><td class="number">${tags}</td><td class="number">${manifests}</td><td class="number">${formatBytes(blobBytes)}</td><td>${pushedAt === undefined ? '' : formatTime(pushedAt)}</td></tr>
`;
}

async function tagList(storage: Storage, { headers }: RegistryRequest, repository: string, last: string | undefined): Promise<Html> {
  const listed = storage.catalogue.tags(repository, { last, limit: rowsPerPage });
  const sections: Html[] = [];
  for (const tag of listed.entries) {
    const record = storage.catalogue.taggedManifest(repository, tag);
    if (record === undefined) continue;
    const images = await imagesOf(storage, repository, record);
    sections.push(html`<section id="${tag}"><h2>${tag}</h2>
<p class="quiet"><code>${record.digest}</code>, pushed ${formatTime(record.pushedAt)} UTC</p>
<p class="quiet"><code>strake pull ${headers.host ?? ''}/${repository}:${tag}</code></p>
${images.map(imageBlock)}</section>
`);
  }
  if (sections.length === 0) return html`<p>This repository has no tags.</p>`;
  return html`${sections}${more(`${repositoryPath}${repository}`, listed)}`;
}

function imageBlock({ platform, digest, layers, sizeBytes }: ImageView): Html {
  const rows = layers.map(
    (layer) => html`<tr><td><code>${layer.digest}</code></td><td>${layer.mediaType}</td><td class="number">${formatBytes(layer.size)}</td></tr>
`,
  );
  return html`<h3>${platform === '' ? digest : platform}: ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'}, ${formatBytes(sizeBytes)}</h3>
<table><thead><tr><th>Layer</th><th>Media type</th><th class="number">Size</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function more(path: string, { entries, hasMore }: Listed<string>): Html {
  return hasMore ? html`<p><a rel="next" href="${path}?${String(new URLSearchParams({ last: entries.at(-1) ?? '' }))}">More</a></p>` : html``;
}

/** No script runs in it, and nothing is loaded from elsewhere. */
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function page(title: string, content: Html, status = 200): Reply {
  const document = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><link rel="stylesheet" href="/style.css"></head>
<body><h1><a href="/">Registry</a>${title === 'Repositories' ? '' : new Html(' / ')}${title === 'Repositories' ? '' : title}</h1>
${content}
</body>
</html>
`;
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' },
    body: document.text,
  };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
