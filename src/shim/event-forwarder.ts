import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ttrpcEvents } from '../api/containerd/index.ts';
import { errorMessage, type Logger } from '../base/index.ts';
import { createTtrpcClient, TtrpcConnection } from '../rpc/ttrpc/index.ts';
import { encodeTaskEvent, type PublishTaskEvent } from './task-events.ts';

export interface EventForwarderOptions {
  /** containerd's ttrpc socket; empty: nobody hears of events */
  readonly address: string;
  readonly namespace: string;
  readonly log: Logger;
  readonly now?: () => Date;
}

interface WaitingEvent {
  readonly namespace: string;
  readonly topic: string;
  readonly at: Date;
  readonly event: { readonly typeUrl: string; readonly value: Uint8Array };
}

/** What waits while containerd is away; the oldest go first. */
const maxWaiting = 2_048;
const maxTries = 5;
const forwardTimeoutMs = 5_000;
const firstPauseMs = 100;

/** Tells containerd what happens, one after the other; what it does not take is tried again. */
export class EventForwarder implements Disposable {
  private readonly options: EventForwarderOptions;
  private readonly waiting: WaitingEvent[] = [];
  private connection: TtrpcConnection | undefined;
  private sending: Promise<void> | undefined;
  private closed = false;

  constructor(options: EventForwarderOptions) {
    this.options = options;
  }

  readonly publish: PublishTaskEvent = (topic, payload) => {
    const { address, namespace, log, now = () => new Date() } = this.options;
    const event = encodeTaskEvent(topic, payload);
    if (event === undefined || address === '' || this.closed) return;
    if (this.waiting.length === maxWaiting) log.error('events wait too long: the oldest is dropped', { topic: this.waiting.shift()?.topic });
    this.waiting.push({ namespace, topic, at: now(), event });
    this.sending ??= this.sendAll();
  };

  /** Resolves when nothing waits any more. */
  async flushed(): Promise<void> {
    await this.sending;
  }

  [Symbol.dispose](): void {
    this.closed = true;
    this.connection?.close();
  }

  private async sendAll(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined && !this.closed; next = this.waiting.shift()) await this.deliver(next);
    this.sending = undefined;
  }

  private async deliver(envelope: WaitingEvent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.forward(envelope);
        return;
      } catch (error) {
        this.connection?.close();
        this.connection = undefined;
        if (attempt === maxTries || this.closed) {
          this.options.log.error('an event was not taken', { topic: envelope.topic, error: errorMessage(error) });
          return;
        }
        // The first failure may be that of a connection to a containerd that has been started again.
        if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, firstPauseMs * 2 ** attempt));
      }
    }
  }

  private async forward({ namespace, topic, at, event }: WaitingEvent): Promise<void> {
    this.connection ??= await TtrpcConnection.open(this.options.address);
    const client = createTtrpcClient(ttrpcEvents.Events, this.connection);
    await client.forward(
      { envelope: { namespace, topic, timestamp: timestampFromDate(at), event } },
      { timeoutMs: forwardTimeoutMs, headers: { 'containerd-namespace-ttrpc': namespace } },
    );
  }
}
