import { checkName } from '../names.ts';

interface OfRepository<Kind extends string> {
  readonly kind: Kind;
  readonly repository: string;
}

interface OfReference<Kind extends string> extends OfRepository<Kind> {
  /** tag, digest or upload id, unchecked */
  readonly reference: string;
}

/** What a path of the API names (distribution-spec, "Endpoints"). */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalogue' }
  | OfRepository<'tags'>
  | OfRepository<'uploads'>
  | OfReference<'manifest'>
  | OfReference<'blob'>
  | OfReference<'upload'>
  | OfReference<'referrers'>;

/** A repository's name may have the words of the API in it: the last ones count. */
const forms = [
  ['tags', /^\/v2\/(.+)\/tags\/list$/],
  ['uploads', /^\/v2\/(.+)\/blobs\/uploads\/?$/],
  ['upload', /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/],
  ['blob', /^\/v2\/(.+)\/blobs\/([^/]+)$/],
  ['manifest', /^\/v2\/(.+)\/manifests\/([^/]+)$/],
  ['referrers', /^\/v2\/(.+)\/referrers\/([^/]+)$/],
] as const;

/** Longer than the longest name with the longest reference. */
const maxPathLength = 1024;

/** undefined: no path of the API. Throws NAME_INVALID. */
export function parseTarget(rawPath: string): Target | undefined {
  if (rawPath.length > maxPathLength) return undefined;
  const path = decode(rawPath);
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalogue' };
  for (const [kind, pattern] of forms) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const repository = checkName(match[1] ?? '');
    return kind === 'tags' || kind === 'uploads' ? { kind, repository } : { kind, repository, reference: match[2] ?? '' };
  }
  return undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not UTF-8 behind the percent signs: a name that is none.
    return path;
  }
}
