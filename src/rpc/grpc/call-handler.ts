import type { DescMessage, DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import { errorCode, iterateUntilAborted, StrakeError, untilAborted } from '../../base/index.ts';
import { decode, isClientStreaming, isServerStreaming } from '../codec.ts';
import { headersOf } from '../headers.ts';
import { type Header, type Http2Stream, headerValue, type StreamHandler } from '../http2/index.ts';
import type { CallContext } from '../service.ts';
import { maxWaitingBytes } from './limits.ts';
import { sendMessage, splitMessages } from './messages.ts';
import type { GrpcService } from './service.ts';
import { okTrailers, trailersOf } from './status-trailers.ts';
import { parseTimeout } from './timeout.ts';

/** Called for a failure that is nobody's answer: of class Internal or DataLoss. */
export type ReportFailure = (method: DescMethod, error: unknown) => void;

type Init = MessageInitShape<DescMessage>;
type AnyHandler = (input: Message | AsyncIterable<Message>, context: CallContext) => Init | Promise<Init> | AsyncIterable<Init>;

interface Procedure {
  readonly method: DescMethod;
  readonly handler: AnyHandler;
}

/** The longest timer; a deadline beyond it (24 days) is none. */
const maxTimerMs = 2 ** 31 - 1;
const grpcType = /^application\/grpc(?:\+proto)?(?:;|$)/;

/** Answers streams of HTTP/2 as calls of the services. */
export function createCallHandler(services: readonly GrpcService[], report: ReportFailure): StreamHandler {
  const procedures = proceduresByPath(services);
  return async (stream, headers) => {
    if (!grpcType.test(headerValue(headers, 'content-type') ?? '')) {
      stream.respond([[':status', '415']]);
      return stream.end();
    }
    const reply = new Reply(stream);
    const path = headerValue(headers, ':path') ?? '';
    const procedure = headerValue(headers, ':method') === 'POST' ? procedures.get(path) : undefined;
    try {
      if (procedure === undefined) throw new StrakeError('Unimplemented', `unknown service or method ${path}`);
      await answer(procedure, reply, headers);
    } catch (error) {
      if (procedure !== undefined && !stream.signal.aborted && ['Internal', 'DataLoss'].includes(errorCode(error))) report(procedure.method, error);
      reply.end(trailersOf(error));
    }
  };
}

function proceduresByPath(services: readonly GrpcService[]): ReadonlyMap<string, Procedure> {
  return new Map(
    services.flatMap(({ description, implementation }) =>
      description.methods.map((method): [string, Procedure] => {
        const handler = (implementation as Readonly<Record<string, AnyHandler>>)[method.localName] as AnyHandler;
        return [`/${description.typeName}/${method.name}`, { method, handler: handler.bind(implementation) }];
      }),
    ),
  );
}

/** Its headers go out with what comes first: alone they would cost a write here, and wake the client for nothing. */
class Reply {
  readonly stream: Http2Stream;
  #hasBegun = false;

  constructor(stream: Http2Stream) {
    this.stream = stream;
  }

  send(description: DescMessage, message: Init): void {
    this.#begin();
    sendMessage(this.stream, description, message);
  }

  end(trailers: readonly Header[]): void {
    this.#begin();
    this.stream.end(trailers);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.stream.respond([
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]);
  }
}

async function answer({ method, handler }: Procedure, reply: Reply, headers: readonly Header[]): Promise<void> {
  const { stream } = reply;
  using call = openCall(stream, headers);
  const { signal } = call.context;
  signal.throwIfAborted();
  const requests = decodeAll(method, iterateUntilAborted(splitMessages(stream.body()), signal));
  const input = isClientStreaming(method) ? requests : await only(requests, method);
  const output = handler(input, call.context);
  if (isServerStreaming(method)) {
    for await (const message of iterateUntilAborted(output as AsyncIterable<Init>, signal)) {
      reply.send(method.output, message);
      if (stream.queuedBytes > maxWaitingBytes) await untilAborted(stream.room(maxWaitingBytes), signal);
    }
    return reply.end(okTrailers);
  }
  reply.send(method.output, await untilAborted(Promise.resolve(output as Init | Promise<Init>), signal));
  // The answer and the end go out together.
  reply.end(okTrailers);
  await stream.room(0);
}

interface OpenCall extends Disposable {
  readonly context: CallContext;
}

function openCall(stream: Http2Stream, headers: readonly Header[]): OpenCall {
  const requestHeader = headersOf(headers.filter(([name]) => !name.startsWith(':')));
  const given = headerValue(headers, 'grpc-timeout');
  if (given === undefined) return { context: { signal: stream.signal, requestHeader, timeoutMs: () => undefined }, [Symbol.dispose]() {} };
  const timeoutMs = parseTimeout(given);
  if (timeoutMs === undefined) throw new StrakeError('InvalidArgument', `grpc-timeout ${JSON.stringify(given)} is no time`);
  const end = performance.now() + timeoutMs;
  const deadline = new AbortController();
  const expire = () => deadline.abort(new StrakeError('DeadlineExceeded', 'the deadline of the call has passed', { fields: { layer: 'rpc' } }));
  const timer = timeoutMs <= maxTimerMs ? setTimeout(expire, timeoutMs) : undefined;
  const signal = AbortSignal.any([stream.signal, deadline.signal]);
  return { context: { signal, requestHeader, timeoutMs: () => Math.max(0, end - performance.now()) }, [Symbol.dispose]: () => clearTimeout(timer) };
}

async function* decodeAll(method: DescMethod, payloads: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  for await (const payload of payloads) yield decode(method.input, payload, 'Internal');
}

async function only(requests: AsyncGenerator<Message>, method: DescMethod): Promise<Message> {
  const first = await requests.next();
  // Nobody reads on. While a generator waits for an abort, the call and its signals hold each other for ever.
  await requests.return(undefined);
  if (first.done === true) throw new StrakeError('Internal', `a call of ${method.name} without a message`);
  return first.value;
}
