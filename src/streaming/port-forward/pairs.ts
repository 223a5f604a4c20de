import type { SpdyStream } from '../spdy/stream.ts';

type PairName = 'error' | 'data';
type Pair = { readonly [name in PairName]?: SpdyStream };

export interface ForwardedConnection {
  readonly data: SpdyStream;
  readonly error: SpdyStream;
  readonly port: number;
}

/** Finds the streams that belong together: of one connection that is forwarded, one carries the data and one what went wrong. */
export class StreamPairs {
  readonly #creationMs: number;
  readonly #waiting = new Map<string, { readonly pair: Pair; readonly timer: NodeJS.Timeout }>();

  /** `creationMs`: how long one stream waits for the other. */
  constructor(creationMs: number) {
    this.#creationMs = creationMs;
  }

  /** A stream as it comes: 'refused' when it is none of a pair, 'waiting' for its other. */
  add(stream: SpdyStream): ForwardedConnection | 'waiting' | 'refused' {
    const name = stream.headers.get('streamtype');
    const port = portOf(stream);
    if ((name !== 'error' && name !== 'data') || port === undefined) return 'refused';
    const request = requestOf(stream, name);
    const before = this.#waiting.get(request);
    if (before?.pair[name] !== undefined) return 'refused';
    const pair: Pair = { ...before?.pair, [name]: stream };
    if (pair.data !== undefined && pair.error !== undefined) {
      clearTimeout(before?.timer);
      this.#waiting.delete(request);
      return { data: pair.data, error: pair.error, port };
    }
    this.#waiting.set(request, { pair, timer: setTimeout(() => this.#giveUp(request), this.#creationMs) });
    return 'waiting';
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #giveUp(request: string): void {
    const { data, error } = this.#waiting.get(request)?.pair ?? {};
    this.#waiting.delete(request);
    data?.reset();
    const told = error?.write(Buffer.from(`the streams of request ${request} did not come in time`));
    told?.then(
      () => error?.end(),
      () => undefined,
    );
  }
}

function portOf(stream: SpdyStream): number | undefined {
  const text = stream.headers.get('port') ?? '';
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 0xffff ? port : undefined;
}

/** Clients of old name no request: there the stream of data comes right behind that of errors. */
function requestOf(stream: SpdyStream, name: PairName): string {
  return stream.headers.get('requestid') || String(name === 'error' ? stream.id : stream.id - 2);
}
