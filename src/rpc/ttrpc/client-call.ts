import { create, type DescMethod, type DescService, toBinary } from '@bufbuild/protobuf';
import { RequestSchema, ResponseSchema } from '../../api/ttrpc/index.ts';
import { iterateUntilAborted, StrakeError } from '../../base/index.ts';
import { decode, isClientStreaming, isServerStreaming } from '../codec.ts';
import type { CallOptions } from '../service.ts';
import { errorOfStatus } from '../status.ts';
import type { Channel } from './channel.ts';
import { type Frame, frameFlags, messageTooLong, messageTypes, type OversizedFrame } from './frames.ts';
import { Inbox } from './inbox.ts';
import { metadataOf } from './metadata.ts';

interface ClientCallOptions {
  readonly channel: Channel;
  readonly streamId: number;
  readonly method: DescMethod;
  readonly options: CallOptions;
  /** Called once: nothing more comes that matters. */
  readonly onDone: () => void;
}

const nothing = new Uint8Array();
const maxTimerMs = 2 ** 31 - 1;

/** One call on the client's side. Of its two readers, `answer` and `messages`, a method has one. */
export class ClientCall {
  private readonly parts: ClientCallOptions;
  private readonly outcome = Promise.withResolvers<Uint8Array>();
  private readonly inbox: Inbox | undefined;
  private readonly done = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(parts: ClientCallOptions) {
    this.parts = parts;
    if (isServerStreaming(parts.method)) this.inbox = new Inbox(parts.channel);
    this.outcome.promise.catch(() => undefined);
    const { signal, timeoutMs } = parts.options;
    signal?.addEventListener('abort', this.onAbort, { once: true });
    if (timeoutMs !== undefined && timeoutMs <= maxTimerMs) this.timer = setTimeout(() => this.fail(this.tooLate(timeoutMs)), timeoutMs);
  }

  /** The request itself. A failure is the call's. */
  send(service: DescService, payload: Uint8Array): void {
    const { channel, streamId, method, options } = this.parts;
    const timeoutNano = options.timeoutMs === undefined ? 0n : BigInt(Math.max(1, Math.round(options.timeoutMs * 1e6)));
    const isStream = method.methodKind !== 'unary';
    const flags = !isStream ? 0 : isClientStreaming(method) ? frameFlags.remoteOpen : frameFlags.remoteClosed;
    try {
      const request = create(RequestSchema, { service: service.typeName, method: method.name, payload, timeoutNano, metadata: metadataOf(options.headers) });
      channel.send({ streamId, type: messageTypes.request, flags, payload: toBinary(RequestSchema, request) });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends `messages` and then their end, while the call goes on. What `messages` throws fails the call. */
  async sendAll(messages: AsyncIterable<Uint8Array>): Promise<void> {
    const { channel, streamId } = this.parts;
    const data = { streamId, type: messageTypes.data };
    try {
      for await (const payload of iterateUntilAborted(messages, this.done.signal)) {
        if (!channel.send({ ...data, flags: 0, payload })) await channel.whenDrained();
      }
      channel.send({ ...data, flags: frameFlags.remoteClosed | frameFlags.noData, payload: nothing });
    } catch (error) {
      // The call may have ended first: then nobody wants the rest.
      this.fail(error);
    }
  }

  receive(frame: Frame | OversizedFrame): void {
    try {
      if (frame.kind === 'oversized') throw messageTooLong(frame.lengthBytes);
      if (frame.type === messageTypes.response) this.receiveResponse(frame.payload);
      else this.receiveData(frame);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.finish();
    this.outcome.reject(error);
    this.inbox?.close(error);
  }

  /** The message with which a server that does not stream answers. */
  answer(): Promise<Uint8Array> {
    return this.outcome.promise;
  }

  async *messages(): AsyncGenerator<Uint8Array> {
    try {
      if (this.inbox !== undefined) yield* this.inbox;
    } finally {
      this.finish();
    }
  }

  private receiveResponse(payload: Uint8Array): void {
    const response = decode(ResponseSchema, payload, 'Internal');
    if (response.status !== undefined && response.status.code !== 0) throw errorOfStatus(response.status);
    this.finish();
    // A server that streams may end with an answer; an empty one says no more than its end.
    if (response.payload.length > 0) this.inbox?.push(response.payload);
    this.inbox?.close();
    this.outcome.resolve(response.payload);
  }

  private receiveData({ flags, payload }: Frame): void {
    if (this.inbox === undefined)
      throw new StrakeError('Internal', `the server streams the answer of ${this.parts.method.name}`, { fields: { layer: 'ttrpc' } });
    if ((flags & frameFlags.noData) === 0) this.inbox.push(payload);
    if ((flags & frameFlags.remoteClosed) === 0) return;
    this.finish();
    this.inbox.close();
  }

  private finish(): void {
    clearTimeout(this.timer);
    this.parts.options.signal?.removeEventListener('abort', this.onAbort);
    this.parts.onDone();
    this.done.abort();
  }

  private readonly onAbort = () => this.fail(this.parts.options.signal?.reason);

  private tooLate(timeoutMs: number): StrakeError {
    const { method } = this.parts;
    return new StrakeError('DeadlineExceeded', `${method.name} was not answered within ${timeoutMs} ms`, {
      fields: { layer: 'ttrpc', operation: method.name },
    });
  }
}
