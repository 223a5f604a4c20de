import { isDigest } from '../oci/index.ts';
import { registryError } from './errors.ts';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
/** distribution reference.go: RepositoryNameTotalLengthMax. */
const maxNameLength = 255;

/** A repository's name (distribution-spec, "Pulling manifests"). Throws NAME_INVALID. */
export function checkName(name: string): string {
  // The length first: no expression runs over a text of any length.
  if (name.length > maxNameLength || !namePattern.test(name))
    throw registryError('NAME_INVALID', `invalid repository name ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Throws DIGEST_INVALID for what is no digest, and for an algorithm that nobody here verifies. */
export function checkDigest(text: string): string {
  if (isDigest(text)) return text;
  throw registryError('DIGEST_INVALID', `invalid digest ${JSON.stringify(`${text}`.slice(0, 160))}`);
}

/** A manifest is named by a tag or by its digest. Throws DIGEST_INVALID or TAG_INVALID. */
export function parseManifestName(text: string): { readonly tag: string } | { readonly digest: string } {
  if (text.includes(':')) return { digest: checkDigest(text) };
  if (!isTag(text)) throw registryError('TAG_INVALID', `invalid tag ${JSON.stringify(text.slice(0, 160))}`);
  return { tag: text };
}
