/** The names that an image gets, or is found by, as the message of an image store says them. */
import type { ImageReference, ImageStore } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';

/** Of an image that comes without a name of its own. */
export function givenNames({ name, extraReferences }: ImageStore, digest: string): readonly string[] {
  const extra = extraReferences.filter(({ isPrefix }) => !isPrefix);
  return [...(name === '' ? [] : [name]), ...extra.map((reference) => (reference.addDigest ? `${reference.name}@${digest}` : reference.name))];
}

/** Of an image of an archive that names it: by each prefix, the name that it has when it fits, or what it is called below the prefix. */
export function namesOfArchived({ extraReferences }: ImageStore, written: readonly string[], digest: string): readonly string[] {
  return extraReferences.filter(({ isPrefix }) => isPrefix).flatMap((prefix) => prefixed(prefix, written, digest));
}

function prefixed(prefix: ImageReference, written: readonly string[], digest: string): readonly string[] {
  const byDigest = `${prefix.name}@${digest}`;
  const names = written.flatMap((name) => translated(prefix, name));
  if (names.length === 0) return prefix.addDigest ? [byDigest] : [];
  return prefix.addDigest && !prefix.skipNamedDigest ? [...names, byDigest] : names;
}

/** A tag alone is put behind the prefix; a whole name must begin with it, unless any name will do. */
function translated({ name: prefix, allowOverwrite }: ImageReference, written: string): readonly string[] {
  if (prefix === '') return [];
  if (!/[/:@]/.test(written)) return [`${prefix}:${written}`];
  const fits = written === prefix || ['/', ':', '@'].some((end) => written.startsWith(prefix + end));
  return allowOverwrite || fits ? [written] : [];
}

/** The images that are meant as a source. */
export function sourceNames({ name, extraReferences }: ImageStore): readonly string[] {
  if (extraReferences.some(({ isPrefix }) => isPrefix))
    throw new StrakeError('Unimplemented', 'prefix lookup on export not implemented', { fields: { layer: 'containerd' } });
  return [...(name === '' ? [] : [name]), ...extraReferences.map((reference) => reference.name)];
}
