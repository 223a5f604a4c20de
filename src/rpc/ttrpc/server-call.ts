import type { DescMessage, DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import { iterateUntilAborted, StrakeError, untilAborted } from '../../base/index.ts';
import { decode, encode, isClientStreaming, isServerStreaming } from '../codec.ts';
import type { CallContext, ServedService } from '../service.ts';
import type { Channel } from './channel.ts';
import { Inbox } from './inbox.ts';

/** What a call sends back: messages of a stream, and at last its one outcome. */
export interface CallReplies {
  /** Resolves when the connection takes more. */
  message(payload: Uint8Array): Promise<void>;
  /** `payload`: the answer of a call whose server does not stream. */
  succeed(payload?: Uint8Array): void;
  fail(error: unknown): void;
}

export interface CallStart {
  readonly served: ServedService;
  readonly method: DescMethod;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  /** 0: none; negative: passed already */
  readonly timeoutNs: bigint;
  readonly channel: Channel;
  readonly replies: CallReplies;
}

type Init = MessageInitShape<DescMessage>;
type AnyHandler = (input: Message | AsyncIterable<Message>, context: CallContext) => Init | Promise<Init> | AsyncIterable<Init>;

/** The longest timer; a deadline beyond it (24 days) is none. */
const maxTimerMs = 2 ** 31 - 1;

/** One call on the server's side, from its request to its outcome. */
export class ServerCall {
  private readonly start: CallStart;
  private readonly abort = new AbortController();
  private readonly inbox: Inbox | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(start: CallStart) {
    this.start = start;
    if (!isClientStreaming(start.method)) return;
    this.inbox = new Inbox(start.channel);
    // A stream of the caller may bring its first message with the request.
    if (start.payload.length > 0) this.inbox.push(start.payload);
  }

  /** False when the caller may send nothing (more). */
  receive(payload: Uint8Array): boolean {
    return this.inbox?.push(payload) ?? false;
  }

  /** The caller sends no more. */
  receiveEnd(): void {
    this.inbox?.close();
  }

  /** The call is given up with `reason`: nothing is sent any more. */
  cancel(reason: unknown): void {
    this.abort.abort(reason);
  }

  /** Runs the handler, and sends what it answers. Never rejects. */
  async run(): Promise<void> {
    const { replies } = this.start;
    try {
      const deadline = this.armDeadline();
      const context: CallContext = {
        signal: this.abort.signal,
        requestHeader: this.start.headers,
        timeoutMs: () => (deadline === undefined ? undefined : Math.max(0, deadline - performance.now())),
      };
      this.abort.signal.throwIfAborted();
      await this.answer(context);
    } catch (error) {
      replies.fail(error);
    } finally {
      clearTimeout(this.timer);
      this.inbox?.discard();
    }
  }

  private async answer(context: CallContext): Promise<void> {
    const { method, replies, served, payload } = this.start;
    const { signal } = this.abort;
    const handler = (served.implementation as Readonly<Record<string, AnyHandler | undefined>>)[method.localName];
    if (handler === undefined) throw new StrakeError('Unimplemented', `method ${method.name} of ${served.description.typeName} is not implemented`);
    const input = this.inbox === undefined ? decode(method.input, payload, 'InvalidArgument') : decodeAll(method.input, this.inbox, signal);
    const output = handler.call(served.implementation, input, context);
    if (isServerStreaming(method)) {
      for await (const message of iterateUntilAborted(output as AsyncIterable<Init>, signal))
        await untilAborted(replies.message(encode(method.output, message)), signal);
      replies.succeed();
    } else {
      replies.succeed(encode(method.output, await untilAborted(Promise.resolve(output as Init | Promise<Init>), signal)));
    }
  }

  /** The deadline in ms of performance.now(). */
  private armDeadline(): number | undefined {
    const { timeoutNs } = this.start;
    if (timeoutNs === 0n) return undefined;
    const timeoutMs = Number(timeoutNs) / 1e6;
    const expire = () => this.abort.abort(new StrakeError('DeadlineExceeded', 'the deadline of the call has passed', { fields: { layer: 'ttrpc' } }));
    if (timeoutMs <= 0) expire();
    else if (timeoutMs <= maxTimerMs) this.timer = setTimeout(expire, timeoutMs);
    return performance.now() + timeoutMs;
  }
}

async function* decodeAll(description: DescMessage, payloads: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Message> {
  for await (const payload of iterateUntilAborted(payloads, signal)) yield decode(description, payload, 'InvalidArgument');
}
