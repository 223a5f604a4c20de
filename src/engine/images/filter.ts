import { StrakeError } from '../../base/index.ts';
import { familiarRepository, parseReference } from '../../oci/index.ts';
import type { Filters } from '../server/index.ts';
import { createdSeconds, type EngineImage, familiar, repositoryOf } from './image.ts';
import { type Images, labels } from './images.ts';

/** The filters of `GET /images/json`; a name that the filter `reference` leaves out is not shown either. */
export async function filterImages(images: Images, all: readonly EngineImage[], filters: Filters, now: Date): Promise<readonly EngineImage[]> {
  filters.accept('dangling', 'label', 'before', 'since', 'reference', 'until');
  const dangling = filters.flag('dangling');
  const before = await Promise.all(filters.get('before').map(async (name) => createdSeconds((await images.get(name)).config)));
  const since = await Promise.all(filters.get('since').map(async (name) => createdSeconds((await images.get(name)).config)));
  const until = filters.get('until').map((text) => parseUntil(text, now));
  const oldest = Math.min(...before, ...until);
  const newest = Math.max(...since);
  return all
    .map((image) => (filters.has('reference') ? withMatchingNames(image, filters) : image))
    .filter((image): image is EngineImage => {
      if (image === undefined) return false;
      const created = createdSeconds(image.config);
      return created < oldest && created > newest && filters.labels(labels(image)) && (dangling === undefined || dangling === (image.tags.length === 0));
    });
}

function withMatchingNames(image: EngineImage, filters: Filters): EngineImage | undefined {
  const matches = (name: string) => filters.any('reference', (pattern) => matchesReference(pattern, name));
  const tags = image.tags.filter(matches);
  const pulledAs = image.pulledAs.filter(matches);
  return tags.length + pulledAs.length === 0 ? undefined : { ...image, tags, pulledAs };
}

/** Go's path.Match on the familiar name, or on the familiar repository. */
export function matchesReference(pattern: string, name: string): boolean {
  const expression = globExpression(pattern);
  return expression.test(familiar(name)) || expression.test(familiarRepository(parseReference(repositoryOf(name))));
}

function globExpression(pattern: string): RegExp {
  const source = pattern.replace(/\\.|\*|\?|\[\^?(?:[^\]\\]|\\.)+\]|[.+^${}()|[\]\\/]/gs, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.startsWith('[') && part.length > 1) return part;
    return part.length === 2 && part.startsWith('\\') ? `\\${part.slice(1)}` : `\\${part}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid filter 'reference=[${pattern}]'`, { cause });
  }
}

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Seconds since the epoch: of a duration back from now (`24h`, `1h30m`), a unix time, or an RFC 3339 time. */
export function parseUntil(text: string, now: Date): number {
  if (/^(?:\d+(?:\.\d+)?[hms])+$/.test(text)) {
    const back = [...text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ''] ?? 0), 0);
    return now.getTime() / 1000 - back;
  }
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isNaN(seconds)) throw new StrakeError('InvalidArgument', `invalid filter 'until=[${text}]'`);
  return seconds;
}
