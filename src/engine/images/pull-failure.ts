import { errorMessage, isCode, StrakeError } from '../../base/index.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/index.ts';
import { refusedConnection, registryWords } from './registry-words.ts';

/** A failed pull in Docker's words, which clients match on; the cause has ours. Registries answer for a hidden repository as for one that is not there: Docker says both. */
export function describePullFailure(error: unknown, reference: Reference): unknown {
  const name = familiarRepository(reference);
  if (isCode(error, 'Unauthenticated') || isCode(error, 'PermissionDenied'))
    return new StrakeError(
      'NotFound',
      `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: ${registryWords(error)}`,
      { cause: error },
    );
  if (isCode(error, 'NotFound') && !errorMessage(error).startsWith('no matching manifest'))
    return new StrakeError('NotFound', `manifest for ${familiarName(reference)} not found: manifest unknown: ${registryWords(error)}`, { cause: error });
  return refusedConnection(error) ?? error;
}
