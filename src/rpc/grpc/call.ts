import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from '@bufbuild/protobuf';
import { StrakeError } from '../../base/index.ts';
import { decode, isClientStreaming, isServerStreaming } from '../codec.ts';
import { type Header, type Http2ClientConnection, Http2Code, type Http2Stream, headerValue, isUnprocessed } from '../http2/index.ts';
import type { CallOptions, ServiceClient } from '../service.ts';
import { maxWaitingBytes } from './limits.ts';
import { sendMessage, splitMessages } from './messages.ts';
import { errorOfTrailers } from './status-trailers.ts';
import { formatTimeout } from './timeout.ts';

/** What every call of a client says. */
export type DecorateCall = (headers: Headers) => void;

export interface CallRoute {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** One that is open. */
  readonly connect: () => Promise<Http2ClientConnection>;
  readonly decorations: readonly DecorateCall[];
}

/** Of a call that no server has looked at. */
const maxAttempts = 3;

type Init = MessageInitShape<DescMessage>;
type AnyCall = (input: Init | AsyncIterable<Init>, options?: CallOptions) => Promise<Message> | AsyncIterable<Message>;

export function createClient<T extends DescService>(route: CallRoute, service: T): ServiceClient<T> {
  const calls: Record<string, AnyCall> = {};
  for (const method of service.methods) {
    const path = `/${service.typeName}/${method.name}`;
    const start = (input: Init | AsyncIterable<Init>, options: CallOptions = {}) =>
      messagesOf(route, path, method, isClientStreaming(method) ? (input as AsyncIterable<Init>) : [input as Init], options);
    calls[method.localName] = isServerStreaming(method) ? start : async (input, options) => await only(start(input, options), method);
  }
  return calls as ServiceClient<T>;
}

async function only(messages: AsyncIterable<Message>, method: DescMethod): Promise<Message> {
  let answer: Message | undefined;
  for await (const message of messages) answer = message;
  if (answer === undefined) throw new StrakeError('Internal', `${method.name} was answered without a message`, { fields: { layer: 'rpc' } });
  return answer;
}

/** Makes the call, and gives what it is answered. Whoever stops reading cancels it. */
async function* messagesOf(
  route: CallRoute,
  path: string,
  method: DescMethod,
  requests: readonly Init[] | AsyncIterable<Init>,
  options: CallOptions,
): AsyncGenerator<Message> {
  using limit = limitOf(method, options);
  for (let attempt = 1; ; attempt++) {
    try {
      yield* attemptCall(route, path, method, requests, options, limit.signal);
      return;
    } catch (error) {
      // A server that ends may say so after we have sent: then it has not looked at the call, and the next connection may. A stream of requests is spent.
      if (!isUnprocessed(error) || !Array.isArray(requests) || attempt === maxAttempts) throw error;
    }
  }
}

async function* attemptCall(
  route: CallRoute,
  path: string,
  method: DescMethod,
  requests: readonly Init[] | AsyncIterable<Init>,
  options: CallOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Message> {
  signal?.throwIfAborted();
  const stream = await (await route.connect()).request(requestHeaders(route, path, options), signal);
  const cancel = () => stream.reset(Http2Code.cancel, signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // What fails here fails the stream, which the answer tells.
    void sendAll(stream, method, requests).catch((error: unknown) => stream.reset(Http2Code.cancel, error as Error));
    const answer = await stream.headers;
    checkAnswer(answer);
    for await (const payload of splitMessages(stream.body())) yield decode(method.output, payload, 'Internal');
    const error = errorOfTrailers(stream.trailers.length > 0 ? stream.trailers : answer);
    if (error !== undefined) throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    stream.reset(Http2Code.cancel);
  }
}

function requestHeaders({ scheme, authority, decorations }: CallRoute, path: string, { headers, timeoutMs }: CallOptions): readonly Header[] {
  const own = new Headers(headers);
  for (const decorate of decorations) decorate(own);
  return [
    [':method', 'POST'],
    [':scheme', scheme],
    [':path', path],
    [':authority', authority],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...(timeoutMs === undefined ? [] : [['grpc-timeout', formatTimeout(timeoutMs)] as const]),
    ...own,
  ];
}

async function sendAll(stream: Http2Stream, method: DescMethod, requests: readonly Init[] | AsyncIterable<Init>): Promise<void> {
  for await (const request of requests) {
    await stream.room(maxWaitingBytes);
    sendMessage(stream, method.input, request);
  }
  // Not awaited first: the last message and the end go out together.
  stream.end();
  await stream.room(0);
}

/** A proxy's answer, or a server that does not speak gRPC. */
function checkAnswer(headers: readonly Header[]): void {
  const status = headerValue(headers, ':status');
  if (status === '200' && headerValue(headers, 'content-type')?.startsWith('application/grpc')) return;
  throw new StrakeError(status === '503' ? 'Unavailable' : 'Internal', `the server answered with HTTP status ${status}, not with gRPC`, {
    fields: { layer: 'rpc' },
  });
}

interface Limit extends Disposable {
  readonly signal: AbortSignal | undefined;
}

const maxTimerMs = 2 ** 31 - 1;

function limitOf({ name }: DescMethod, { signal, timeoutMs }: CallOptions): Limit {
  if (timeoutMs === undefined || timeoutMs > maxTimerMs) return { signal, [Symbol.dispose]() {} };
  const deadline = new AbortController();
  const expire = () =>
    deadline.abort(new StrakeError('DeadlineExceeded', `${name} was not answered within ${timeoutMs} ms`, { fields: { layer: 'rpc', operation: name } }));
  const timer = setTimeout(expire, timeoutMs);
  return { signal: AbortSignal.any([deadline.signal, ...(signal === undefined ? [] : [signal])]), [Symbol.dispose]: () => clearTimeout(timer) };
}
