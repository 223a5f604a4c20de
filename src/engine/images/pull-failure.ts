import { errorMessage, isCode, StrakeError } from '../../base/index.ts';
import { familiarName, familiarRepository, type Reference } from '../../oci/index.ts';

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

/** What the registry itself said, without where it said it. */
function registryWords(error: unknown): string {
  const detail = error instanceof StrakeError ? error.fields['detail'] : undefined;
  return typeof detail === 'string' ? detail : errorMessage(error);
}

/** As Go's net/http tells it. */
function refusedConnection(error: unknown): StrakeError | undefined {
  if (!(error instanceof StrakeError) || error.fields['errno'] !== 'ECONNREFUSED') return undefined;
  const { address, port } = (error.cause ?? {}) as { readonly address?: unknown; readonly port?: unknown };
  const url = URL.parse(String(error.fields['url']));
  if (url === null || typeof address !== 'string') return undefined;
  const host = address.includes(':') ? `[${address}]` : address;
  return new StrakeError(error.code, `Get "${url.origin}/v2/": dial tcp ${host}:${String(port)}: connect: connection refused`, { cause: error });
}
