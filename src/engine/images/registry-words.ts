import { errorMessage, StrakeError } from '../../base/index.ts';

/** What the registry itself said, without where it said it. */
export function registryWords(error: unknown): string {
  const detail = error instanceof StrakeError ? error.fields['detail'] : undefined;
  return typeof detail === 'string' ? detail : errorMessage(error);
}

/** As Go's net/http tells it. */
export function refusedConnection(error: unknown): StrakeError | undefined {
  if (!(error instanceof StrakeError) || error.fields['errno'] !== 'ECONNREFUSED') return undefined;
  const { address, port } = (error.cause ?? {}) as { readonly address?: unknown; readonly port?: unknown };
  const url = URL.parse(String(error.fields['url']));
  if (url === null || typeof address !== 'string') return undefined;
  const host = address.includes(':') ? `[${address}]` : address;
  return new StrakeError(error.code, `Get "${url.origin}/v2/": dial tcp ${host}:${String(port)}: connect: connection refused`, { cause: error });
}
