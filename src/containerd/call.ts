import type { LocalNamespace } from '../core/index.ts';
import { type HandlerContext, leaseOf, requireNamespace } from '../rpc/grpc/index.ts';

/** What a service needs to know of a call besides its message. */
export interface Call {
  /** The stores of the call's namespace. What is made through them is kept by the call's lease, where it names one. */
  readonly stores: LocalNamespace;
  readonly signal: AbortSignal;
}

export type OpenCall = (context: HandlerContext) => Call;

/** FailedPrecondition without a namespace. */
export function callsOver(inNamespace: (name: string) => LocalNamespace): OpenCall {
  return (context) => {
    const stores = inNamespace(requireNamespace(context));
    const lease = leaseOf(context);
    return { stores: lease === undefined ? stores : stores.withLease(lease), signal: context.signal };
  };
}
