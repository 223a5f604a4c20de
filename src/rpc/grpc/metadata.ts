import { checkIdentifier, StrakeError } from '../../base/index.ts';
import type { DecorateCall } from './call.ts';

const namespaceHeader = 'containerd-namespace';
const leaseHeader = 'containerd-lease';

/** What a call says besides its message. */
export interface CallMetadata {
  readonly requestHeader: Headers;
}

/** The containerd namespace of a call; FailedPrecondition where it has none, as containerd's services answer. */
export function requireNamespace(call: CallMetadata): string {
  const name = firstValue(call, namespaceHeader);
  if (name === undefined) throw new StrakeError('FailedPrecondition', 'namespace is required');
  checkIdentifier(name, 'namespace validation');
  return name;
}

/** The lease under which a call's work is to be kept. */
export function leaseOf(call: CallMetadata): string | undefined {
  return firstValue(call, leaseHeader);
}

/** Of a header that came more than once the first counts, as in containerd. */
function firstValue({ requestHeader }: CallMetadata, name: string): string | undefined {
  const value = requestHeader.get(name)?.split(',')[0]?.trim();
  return value === '' ? undefined : value;
}

/** On a client: calls in this namespace, under this lease, where they do not say otherwise themselves. */
export function inNamespace(namespace: string, lease?: string): DecorateCall {
  return (headers) => {
    if (!headers.has(namespaceHeader)) headers.set(namespaceHeader, namespace);
    if (lease !== undefined && !headers.has(leaseHeader)) headers.set(leaseHeader, lease);
  };
}
