import { create, toBinary } from '@bufbuild/protobuf';
import { RequestSchema, ResponseSchema } from '../../api/ttrpc/index.ts';
import { type Logger, StrakeError } from '../../base/index.ts';
import { decode, isServerStreaming } from '../codec.ts';
import { headersOf } from '../headers.ts';
import type { ServedService } from '../service.ts';
import { statusOf } from '../status.ts';
import { type Channel, connectionClosed } from './channel.ts';
import { type Frame, frameFlags, maxMessageBytes, messageTooLong, messageTypes, type OversizedFrame } from './frames.ts';
import { type CallReplies, ServerCall } from './server-call.ts';

/** Calls of one connection at once. A caller waits for each of its processes with one. */
const maxCalls = 65_536;

const nothing = new Uint8Array();

/** `stream`: all messages were sent. */
type Outcome = 'stream' | { readonly payload: Uint8Array } | { readonly error: unknown };

/** One client of a server: its frames become calls, and the calls' answers frames. */
export class ServerConnection {
  private readonly channel: Channel;
  private readonly services: ReadonlyMap<string, ServedService>;
  private readonly log: Logger;
  private readonly calls = new Map<number, ServerCall>();
  private lastStreamId = 0;
  private closesWhenIdle = false;
  readonly ended: Promise<void>;

  constructor(channel: Channel, services: ReadonlyMap<string, ServedService>, log: Logger) {
    this.channel = channel;
    this.services = services;
    this.log = log;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    channel.onFrame = (frame) => this.receive(frame);
    channel.onEnd = (error) => {
      if (error !== undefined) log.debug('a ttrpc connection broke off', { error });
      for (const call of this.calls.values()) call.cancel(connectionClosed(error));
      this.calls.clear();
      resolve();
    };
  }

  /** Ends the connection once no call is under way. */
  closeWhenIdle(): void {
    this.closesWhenIdle = true;
    if (this.calls.size === 0) this.channel.end();
  }

  destroy(): void {
    this.channel.destroy();
  }

  private receive(frame: Frame | OversizedFrame): void {
    const { streamId, type } = frame;
    if (type !== messageTypes.request && type !== messageTypes.data) return;
    try {
      if (frame.kind === 'oversized') throw messageTooLong(frame.lengthBytes);
      if (streamId % 2 !== 1) throw invalid(`stream ${streamId}: a client’s streams have odd numbers`);
      if (type === messageTypes.request) this.open(frame);
      else this.receiveData(frame);
    } catch (error) {
      this.calls.get(streamId)?.cancel(error);
      this.end(streamId, { error });
    }
  }

  private open({ streamId, payload }: Frame): void {
    if (streamId <= this.lastStreamId) throw invalid(`stream ${streamId}: the numbers of streams ascend`);
    this.lastStreamId = streamId;
    if (this.calls.size >= maxCalls) throw new StrakeError('ResourceExhausted', `more than ${maxCalls} calls at once`, { fields: { layer: 'ttrpc' } });
    const request = decode(RequestSchema, payload, 'InvalidArgument');
    const served = this.services.get(request.service);
    if (served === undefined) throw new StrakeError('Unimplemented', `service ${request.service} is not served`, { fields: { layer: 'ttrpc' } });
    const method = served.description.methods.find(({ name }) => name === request.method);
    if (method === undefined)
      throw new StrakeError('Unimplemented', `service ${request.service} has no method ${request.method}`, { fields: { layer: 'ttrpc' } });
    const call = new ServerCall({
      served,
      method,
      payload: request.payload,
      headers: headersOf(request.metadata.map(({ key, value }) => [key, value])),
      timeoutNs: request.timeoutNano,
      channel: this.channel,
      replies: this.repliesOf(streamId, isServerStreaming(method)),
    });
    this.calls.set(streamId, call);
    void call.run();
  }

  private receiveData({ streamId, flags, payload }: Frame): void {
    const call = this.calls.get(streamId);
    if (call === undefined) throw invalid(`stream ${streamId} is not open`);
    if ((flags & frameFlags.noData) === 0 && !call.receive(payload)) throw invalid(`stream ${streamId} takes no more messages`);
    if ((flags & frameFlags.remoteClosed) !== 0) call.receiveEnd();
  }

  private repliesOf(streamId: number, isStreaming: boolean): CallReplies {
    return {
      message: async (payload) => {
        if (!this.calls.has(streamId)) return;
        this.send(streamId, messageTypes.data, 0, payload);
        await this.channel.whenDrained();
      },
      succeed: (payload) => this.finish(streamId, isStreaming ? 'stream' : { payload: payload ?? nothing }),
      fail: (error) => this.finish(streamId, { error }),
    };
  }

  /** The outcome of a call, unless it was ended before. */
  private finish(streamId: number, outcome: Outcome): void {
    if (this.calls.has(streamId)) this.end(streamId, outcome);
  }

  /** The last frame of a stream. */
  private end(streamId: number, outcome: Outcome): void {
    this.calls.delete(streamId);
    try {
      if (outcome === 'stream') this.send(streamId, messageTypes.data, frameFlags.remoteClosed | frameFlags.noData, nothing);
      else this.send(streamId, messageTypes.response, 0, encodeResponse(outcome));
    } catch (error) {
      this.log.warn('a ttrpc answer could not be sent', { error });
    }
    if (this.closesWhenIdle && this.calls.size === 0) this.channel.end();
  }

  /** A client that does not read its answers is not read either. */
  private send(streamId: number, type: number, flags: number, payload: Uint8Array): void {
    if (this.channel.send({ streamId, type, flags, payload })) return;
    this.channel.hold(this);
    void this.channel.whenDrained().then(() => this.channel.release(this));
  }
}

function encodeResponse(outcome: Exclude<Outcome, 'stream'>): Uint8Array {
  const response = 'error' in outcome ? { status: statusOf(outcome.error) } : { payload: outcome.payload };
  const bytes = toBinary(ResponseSchema, create(ResponseSchema, response));
  return bytes.length <= maxMessageBytes ? bytes : encodeResponse({ error: messageTooLong(bytes.length) });
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'ttrpc' } });
}
