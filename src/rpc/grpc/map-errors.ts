import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { Client, Interceptor } from '@connectrpc/connect';
import { errorCode } from '../../base/index.ts';
import { fromConnectError, toConnectError } from './error-status.ts';

/** Called for a failure that is nobody's answer: of class Internal or DataLoss. */
export type ReportFailure = (method: DescMethod, error: unknown) => void;

/** What a handler throws becomes a status. */
export function statusOfErrors(report: ReportFailure): Interceptor {
  return (next) => async (request) => {
    const map = (error: unknown) => {
      if (['Internal', 'DataLoss'].includes(errorCode(error))) report(request.method, error);
      return toConnectError(error);
    };
    const response = await mapped(map, () => next(request));
    return response.stream ? { ...response, message: mappedStream(map, response.message) } : response;
  };
}

/** What a call fails with becomes a StrakeError. Not an interceptor: Connect makes a ConnectError of whatever those throw. */
export function throwStrakeErrors<T extends DescService>(service: T, client: Client<T>): Client<T> {
  type Call = (...args: readonly unknown[]) => unknown;
  const calls = client as Record<string, Call>;
  const wrapped: Record<string, Call> = {};
  for (const { localName, methodKind } of service.methods) {
    const call = calls[localName] as Call;
    wrapped[localName] =
      methodKind === 'unary' || methodKind === 'client_streaming'
        ? (...args) => mapped(fromConnectError, async () => await call(...args))
        : (...args) => mappedStream(fromConnectError, call(...args) as AsyncIterable<unknown>);
  }
  return wrapped as Client<T>;
}

async function mapped<T>(map: (error: unknown) => Error, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw map(error);
  }
}

function mappedStream<T>(map: (error: unknown) => Error, messages: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        next: () => mapped(map, () => iterator.next()),
        return: async (value?: unknown) => (await iterator.return?.(value)) ?? { done: true, value: undefined },
        throw: async (error: unknown) => (await iterator.throw?.(error)) ?? Promise.reject(error),
      };
    },
  };
}
