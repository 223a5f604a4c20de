import { create, type DescMessage, type DescService, type MessageInitShape } from '@bufbuild/protobuf';
import type { CallContext, CallOptions, ServiceClient, ServiceImplementation } from '../../rpc/ttrpc/index.ts';

type Handler = (request: unknown, context: CallContext) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;

/** A service of this process with the face of another's: called without a wire. `own`: headers of calls that bring none. */
export function directCalls<Service extends DescService>(
  description: Service,
  implementation: ServiceImplementation<Service>,
  own: Readonly<Record<string, string>> = {},
): ServiceClient<Service> {
  const handlers = implementation as unknown as Readonly<Record<string, Handler>>;
  const calls = description.methods.map((method) => {
    const call = async (input: MessageInitShape<DescMessage>, { signal, headers = own }: CallOptions = {}) => {
      const context: CallContext = { signal: signal ?? new AbortController().signal, requestHeader: new Headers(headers), timeoutMs: () => undefined };
      const handler = handlers[method.localName] as Handler;
      return create(method.output, await handler(create(method.input, input), context));
    };
    return [method.localName, call] as const;
  });
  return Object.fromEntries(calls) as unknown as ServiceClient<Service>;
}
