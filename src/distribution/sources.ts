import type { KeyedLock } from '../base/index.ts';
import type { ContentStore } from '../core/index.ts';

/** containerd's label: the repositories of a registry that are known to have the blob, comma separated. It is by the host alone: of two at one host a registry is at worst asked in vain. */
const labelOf = (domain: string): string => `containerd.io/distribution.source.${domain.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')}`;
/** A label is at most 4096 bytes, name and value (containerd pkg/labels). The oldest go first. */
const maxLabelBytes = 4096;

/** Repositories of the registry that have the blob, the latest last. */
export async function sourcesOf(content: ContentStore, domain: string, digest: string): Promise<readonly string[]> {
  const { labels } = await content.info(digest);
  const name = labelOf(domain);
  return Object.hasOwn(labels, name) ? (labels[name] ?? '').split(',').filter((path) => path !== '') : [];
}

/** Remembers that the repository has the blob, so that a push to another one of the registry need not send it. */
export async function addSource(
  content: ContentStore,
  locks: KeyedLock,
  source: { readonly domain: string; readonly repository: string; readonly digest: string },
): Promise<void> {
  const { domain, repository, digest } = source;
  using _lock = await locks.take(`labels ${digest}`, undefined);
  const known = await sourcesOf(content, domain, digest);
  if (known.includes(repository)) return;
  const name = labelOf(domain);
  const paths = [...known, repository];
  while (paths.length > 1 && name.length + paths.join(',').length > maxLabelBytes) paths.shift();
  const { labels } = await content.info(digest);
  await content.setLabels(digest, { ...labels, [name]: paths.join(',') });
}
