import { StrakeError } from '../../../base/index.ts';
import { isDigest, type Platform, parsePlatform, parseReference, type Reference } from '../../../oci/index.ts';
import { type ApiRequest, asObject, optionalString } from '../../server/index.ts';

/** A name and a tag as parameters have them. The tag may be a digest. */
export function referenceOf(name: string, tag: string): Reference {
  const reference = parseReference(name);
  if (tag === '') return reference;
  return isDigest(tag) ? { ...reference, tag: undefined, digest: tag } : parseReference(`${reference.domain}/${reference.path}:${tag}`);
}

/** The name of a new image, from `repo` and `tag`; undefined without one. */
export function newName({ query }: Pick<ApiRequest, 'query'>, verb: string): Reference | undefined {
  if (query.text('repo') === '') return undefined;
  const reference = referenceOf(query.text('repo'), query.text('tag'));
  if (reference.digest !== undefined) throw new StrakeError('InvalidArgument', `cannot ${verb} digest reference`);
  return reference;
}

/** `linux/arm64` or an architecture alone: pull and import. */
export function platformText(text: string): Platform | undefined {
  const platform = text === '' ? undefined : parsePlatform(text.includes('/') ? text : `linux/${text}`);
  if (text !== '' && platform === undefined)
    throw new StrakeError('InvalidArgument', `invalid platform ${JSON.stringify(text)}: must be OS/ARCHITECTURE[/VARIANT]`);
  return platform;
}

/** A platform as JSON, from API 1.48 on: save, load, push. */
export function platformJson({ query, apiVersion }: Pick<ApiRequest, 'query' | 'apiVersion'>): Platform | undefined {
  const text = apiVersion.atLeast('1.48') ? query.text('platform') : '';
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid platform ${JSON.stringify(text)}: not JSON`, { cause });
  }
  const object = asObject(value, 'platform');
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((name) => optionalString(object, name) ?? '');
  const platform = parsePlatform([os, architecture, ...(variant === '' ? [] : [variant])].join('/'));
  if (platform === undefined) throw new StrakeError('InvalidArgument', `invalid platform ${JSON.stringify(text)}: both OS and Architecture must be provided`);
  return platform;
}
