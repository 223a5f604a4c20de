import { isCode, StrakeError } from '../../base/index.ts';
import { refusedConnection, registryWords } from './registry-words.ts';

/** A failed push in the words of the registry's error codes (distribution-spec), as Docker tells them; the cause has ours. */
export function describePushFailure(error: unknown): unknown {
  if (isCode(error, 'Unauthenticated')) return new StrakeError('Unauthenticated', `unauthorized: ${registryWords(error)}`, { cause: error });
  if (isCode(error, 'PermissionDenied')) return new StrakeError('PermissionDenied', `denied: ${registryWords(error)}`, { cause: error });
  return refusedConnection(error) ?? error;
}
