import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from '@bufbuild/protobuf';
import { StrakeError, untilAborted } from '../../base/index.ts';
import { decode, encode, isClientStreaming, isServerStreaming } from '../codec.ts';
import type { CallOptions, ServiceClient } from '../service.ts';
import { Channel, connectionClosed } from './channel.ts';
import { ClientCall } from './client-call.ts';
import { type Frame, messageTypes, type OversizedFrame } from './frames.ts';

const connectTimeoutMs = 5_000;
/** Streams have 32 bits, and a client's are odd. */
const maxStreamId = 2 ** 32 - 1;

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A connection on which any number of calls go on at once. */
export class TtrpcConnection implements Disposable {
  private readonly channel: Channel;
  private readonly calls = new Map<number, ClientCall>();
  private nextStreamId = 1;
  private readonly ending = Promise.withResolvers<void>();
  /** Resolves once the connection has ended, whoever ended it. */
  readonly ended: Promise<void> = this.ending.promise;

  constructor(socket: Duplex) {
    this.channel = new Channel(socket);
    this.channel.onFrame = (frame) => this.receive(frame);
    this.channel.onEnd = (error) => {
      for (const call of this.calls.values()) call.fail(connectionClosed(error));
      this.calls.clear();
      this.ending.resolve();
    };
  }

  /** Connects to the unix socket `path`. Unavailable when nothing listens there. */
  static async open(path: string, { signal, timeoutMs = connectTimeoutMs }: ConnectOptions = {}): Promise<TtrpcConnection> {
    const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
    const socket = connect({ path });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', reject);
    try {
      await untilAborted(promise, limit);
    } catch (error) {
      socket.destroy();
      signal?.throwIfAborted();
      throw new StrakeError('Unavailable', `cannot connect to ${path}: ${(error as Error).message}`, { cause: error, fields: { layer: 'ttrpc' } });
    } finally {
      socket.off('error', reject);
    }
    return new TtrpcConnection(socket);
  }

  get isOpen(): boolean {
    return this.channel.isOpen;
  }

  /** Calls under way fail Unavailable. */
  close(): void {
    this.channel.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A call that was sent; `createTtrpcClient` makes functions of these. */
  begin(service: DescService, method: DescMethod, payload: Uint8Array, options: CallOptions): ClientCall {
    options.signal?.throwIfAborted();
    const streamId = this.nextStreamId;
    if (streamId > maxStreamId) throw new StrakeError('Unavailable', 'the connection has had all its streams', { fields: { layer: 'ttrpc' } });
    this.nextStreamId += 2;
    const call = new ClientCall({ channel: this.channel, streamId, method, options, onDone: () => this.calls.delete(streamId) });
    this.calls.set(streamId, call);
    call.send(service, payload);
    return call;
  }

  private receive(frame: Frame | OversizedFrame): void {
    // A stream that is not known was given up; what is neither an answer nor data is to be ignored.
    if (frame.type === messageTypes.response || frame.type === messageTypes.data) this.calls.get(frame.streamId)?.receive(frame);
  }
}

type Init = MessageInitShape<DescMessage>;
const nothing = new Uint8Array();

/** Functions that call the methods of `service`, with `defaults` where a call says nothing else. What a call throws is a StrakeError. */
export function createTtrpcClient<Service extends DescService>(
  service: Service,
  connection: TtrpcConnection,
  defaults: CallOptions = {},
): ServiceClient<Service> {
  const calls = service.methods.map((method) => [method.localName, callOf(service, method, connection, defaults)]);
  return Object.fromEntries(calls) as ServiceClient<Service>;
}

function callOf(
  service: DescService,
  method: DescMethod,
  connection: TtrpcConnection,
  defaults: CallOptions,
): (input: Init | AsyncIterable<Init>, options?: CallOptions) => unknown {
  const begin = (input: Init | AsyncIterable<Init>, given: CallOptions): ClientCall => {
    const options = { ...defaults, ...given };
    if (!isClientStreaming(method)) return connection.begin(service, method, encode(method.input, input as Init), options);
    const call = connection.begin(service, method, nothing, options);
    void call.sendAll(encodeAll(method.input, input as AsyncIterable<Init>));
    return call;
  };
  const all = async function* (input: Init | AsyncIterable<Init>, options: CallOptions): AsyncGenerator<Message> {
    for await (const payload of begin(input, options).messages()) yield decode(method.output, payload, 'Internal');
  };
  const one = async (input: Init | AsyncIterable<Init>, options: CallOptions): Promise<Message> =>
    decode(method.output, await begin(input, options).answer(), 'Internal');
  return isServerStreaming(method) ? (input, options = {}) => all(input, options) : (input, options = {}) => one(input, options);
}

async function* encodeAll(description: DescMessage, messages: AsyncIterable<Init>): AsyncGenerator<Uint8Array> {
  for await (const message of messages) yield encode(description, message);
}
