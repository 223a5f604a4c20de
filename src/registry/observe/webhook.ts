import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, type Logger } from '../../base/index.ts';
import { type Notification, notificationType } from './notification.ts';

export interface WebhookOptions {
  /** A user and password in it are sent as Basic credentials. */
  readonly url: URL;
  readonly log: Logger;
  /** Events that wait; what comes when they are so many is dropped, and told in the log. */
  readonly maxWaiting?: number;
  readonly timeoutMs?: number;
  readonly attempts?: number;
  /** First pause between tries; doubles up to a minute. */
  readonly retryDelayMs?: number;
}

export interface WebhookCounts {
  readonly waiting: number;
  readonly sent: number;
  readonly dropped: number;
}

const maxBatch = 100;
const maxDelayMs = 60_000;

/** Sends events to one address, in order, a batch at a time; one that does not answer 2xx is tried again. */
export class Webhook implements AsyncDisposable {
  readonly url: string;
  readonly #options: Required<WebhookOptions>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #waiting: Notification[] = [];
  readonly #stopped = new AbortController();
  #sending: Promise<void> | undefined;
  #sent = 0;
  #dropped = 0;

  constructor(options: WebhookOptions) {
    this.#options = { maxWaiting: 10_000, timeoutMs: 10_000, attempts: 8, retryDelayMs: 1000, ...options };
    const url = new URL(options.url);
    const { username, password } = url;
    url.username = '';
    url.password = '';
    this.url = url.href;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#headers = {
      'content-type': notificationType,
      ...(username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    };
  }

  get counts(): WebhookCounts {
    return { waiting: this.#waiting.length, sent: this.#sent, dropped: this.#dropped };
  }

  push(notification: Notification): void {
    if (this.#stopped.signal.aborted || this.#waiting.length >= this.#options.maxWaiting) {
      this.#drop(1, 'too many wait');
      return;
    }
    this.#waiting.push(notification);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** What waits has one more try. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#sending;
  }

  async #send(): Promise<void> {
    // The request that caused the first event is answered before.
    await delay(0);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, maxBatch);
      const problem = await this.#deliver(batch);
      this.#waiting.splice(0, batch.length);
      if (problem === undefined) this.#sent += batch.length;
      else this.#drop(batch.length, problem);
    }
  }

  /** undefined: done; else why not. */
  async #deliver(events: readonly Notification[]): Promise<string | undefined> {
    const { timeoutMs, attempts, retryDelayMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let problem: string;
      try {
        const response = await fetch(this.url, {
          method: 'POST',
          headers: this.#headers,
          body: JSON.stringify({ events }),
          signal: AbortSignal.timeout(timeoutMs),
          // What is told, and the credentials, are for this address alone.
          redirect: 'manual',
        });
        await response.body?.cancel();
        if (response.ok) return undefined;
        problem = `answered ${response.status}`;
      } catch (error) {
        problem = errorMessage(error);
      }
      if (attempt >= attempts || this.#stopped.signal.aborted) return problem;
      await delay(Math.min(retryDelayMs * 2 ** (attempt - 1), maxDelayMs), undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  #drop(count: number, problem: string): void {
    this.#dropped += count;
    this.#options.log.warn('notifications are lost', { url: this.url, count, problem });
  }
}
