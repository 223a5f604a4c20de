import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { shimTask } from '../../api/containerd/index.ts';
import type { CallContext, CallOptions, ServiceClient } from '../../rpc/ttrpc/index.ts';
import type { TaskService } from '../../shim/index.ts';

type Handler = (request: unknown, context: CallContext) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;

/** A service of this process with the face of a shim's: called without a wire. */
export function directCalls(service: TaskService): ServiceClient<typeof shimTask.Task> {
  const handlers = service as unknown as Readonly<Record<string, Handler>>;
  const calls = shimTask.Task.methods.map((method) => {
    const call = async (input: MessageInitShape<DescMessage>, { signal, headers }: CallOptions = {}) => {
      const context: CallContext = { signal: signal ?? new AbortController().signal, requestHeader: new Headers(headers), timeoutMs: () => undefined };
      const handler = handlers[method.localName] as Handler;
      return create(method.output, await handler(create(method.input, input), context));
    };
    return [method.localName, call] as const;
  });
  return Object.fromEntries(calls) as unknown as ServiceClient<typeof shimTask.Task>;
}
