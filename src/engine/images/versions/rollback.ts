import { StrakeError } from '../../../base/index.ts';
import { earlierVersions } from '../../../core/index.ts';
import { canonicalName, familiarName, parseReference, withDefaultTag } from '../../../oci/index.ts';
import type { Images } from '../images.ts';

export interface Rollback {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Lets a name stand again for what it stood for before, or for the version that `version` begins: a digest that it stood for or was pulled under, or an
 * image's id. NotFound when that is not here any more. What it stands for now can be gone back to in the same way.
 */
export async function rollBack(images: Images, text: string, version: string | undefined): Promise<Rollback> {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined)
    throw new StrakeError('InvalidArgument', `${text} is a digest: only a tag can stand for something else`, { fields: { layer: 'engine' } });
  const name = canonicalName(reference);
  const shown = familiarName(reference);
  const record = await images.record(name);
  if (record === undefined) throw new StrakeError('NotFound', `No such image: ${shown}`, { fields: { layer: 'engine' } });
  const earlier = earlierVersions(record);
  const [last] = earlier;
  if (version === undefined && last === undefined)
    throw new StrakeError('FailedPrecondition', `${shown} has stood for nothing else here`, {
      fields: { layer: 'engine', remedy: 'name the digest of the version to go back to' },
    });
  const wanted = version === undefined ? last : earlier.find((digest) => matches(digest, version));
  const target = await findTarget(images, wanted ?? version ?? '');
  if (target === undefined)
    throw new StrakeError('NotFound', `version ${wanted ?? version} of ${shown} is not here`, {
      fields: { layer: 'engine', remedy: `pull ${reference.domain}/${reference.path}@DIGEST` },
    });
  await images.assign(name, target);
  return { name: shown, from: record.target.digest, to: target.digest };
}

/** With or without its algorithm, and shortened as far as docker shows ids. */
function matches(digest: string, version: string): boolean {
  return version.length >= 12 && (digest.startsWith(version) || digest.startsWith(`sha256:${version}`));
}

async function findTarget(images: Images, version: string) {
  const records = await images.options.store.list();
  const byDigest = records.find(({ target }) => matches(target.digest, version));
  if (byDigest !== undefined) return byDigest.target;
  return (await images.list()).find(({ id, manifestDigest }) => matches(id, version) || matches(manifestDigest, version))?.target;
}
