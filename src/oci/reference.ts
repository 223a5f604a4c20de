import { StrakeError } from '../base/index.ts';
import { isDigest } from './digest.ts';

/** An image reference in parts, always with its registry. Grammar: distribution's reference package. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000` */
  readonly domain: string;
  /** `library/busybox` */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const defaultDomain = 'docker.io';
const legacyDomain = 'index.docker.io';
const officialPrefix = 'library/';
/** A longer text is refused before any expression runs over it: name 255, tag 128, digest 135, domain. */
const maxTextLength = 1024;
/** distribution reference.go: RepositoryNameTotalLengthMax, of the path. */
const maxPathLength = 255;

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Parses what a user writes (`busybox`, `localhost:5000/a/b:tag`, `repo@sha256:…`, `repo:tag@sha256:…`). No tag is added; see `withDefaultTag`.
 * Throws InvalidArgument with Docker's texts.
 */
export function parseReference(text: string): Reference {
  if (text.length > maxTextLength) throw invalid('invalid reference format');
  if (/^[a-f0-9]{64}$/.test(text)) throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const named = at === -1 ? rest : rest.slice(0, at);
  const digest = at === -1 ? undefined : rest.slice(at + 1);
  const colon = named.lastIndexOf(':');
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  if (name !== name.toLowerCase()) throw invalid(`invalid reference format: repository name (${name}) must be lowercase`);
  if (!domainPattern.test(domain) || !pathPattern.test(name)) throw invalid('invalid reference format');
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid('invalid reference format');
  if (digest !== undefined && !isDigest(digest)) throw invalid('invalid reference format');
  if (name.length > maxPathLength) throw invalid(`repository name must not be more than ${maxPathLength} characters`);
  return { domain, path: name, tag, digest };
}

/** The first component is a registry when it can be no repository name: it has a dot, a port or an upper-case letter, or is `localhost`. */
function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = !isDomain || first === legacyDomain ? defaultDomain : first;
  const rest = isDomain ? text.slice(slash + 1) : text;
  return { domain, rest: domain === defaultDomain && !rest.includes('/') ? `${officialPrefix}${rest}` : rest };
}

/** Adds `latest` where neither a tag nor a digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** `docker.io/library/busybox:latest`: the form in which images are stored. */
export function canonicalName(reference: Reference): string {
  return `${repositoryName(reference)}${suffix(reference)}`;
}

/** What image stores have a reference under: with a digest, the tag says nothing. */
export function storeName(reference: Reference): string {
  return canonicalName(reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined });
}

/** `docker.io/library/busybox` */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** `busybox:latest`: the form that people see. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** `busybox`, `someone/app`, `localhost:5000/app` */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = path.startsWith(officialPrefix) ? path.slice(officialPrefix.length) : path;
  return short.includes('/') ? path : short;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'oci' } });
}
