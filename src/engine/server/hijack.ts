/**
 * Attach and exec connections: HTTP that becomes a raw byte stream (Engine API, "Attach to a container": hijacking).
 * With `Upgrade: tcp` the answer is `101 UPGRADED` and the connection itself is the stream. Without, it is `200 OK` with a body up to the
 * end of the connection, and stdin is the request's body.
 */
import type { ApiRequest } from './request.ts';

export const rawStream = 'application/vnd.docker.raw-stream';
export const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

export interface HijackOptions {
  /** `rawStream` for a terminal; `multiplexedStream` otherwise. Clients before API 1.42 are told `rawStream` always. */
  readonly contentType: typeof rawStream | typeof multiplexedStream;
}

/** A byte stream to and from the client. */
export interface HijackedConnection {
  /** What the client sends, from after its request on. Ends at the client's half-close: that is EOF on stdin, and output goes on. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Aborted when the client is gone in both directions, as far as the kernel lets one know: also look at `write`. */
  readonly signal: AbortSignal;
  /** Resolves when there is room for more (back-pressure). Rejects with Unavailable once the client is gone. */
  write(data: Uint8Array): Promise<void>;
  /** Half-closes our side after what was written and then lets the connection go; idempotent. */
  end(): Promise<void>;
  /** Cuts the connection at once. */
  destroy(): void;
}

/** Answers the request's head and takes its connection over. The handler then returns `hijacked` and no other reply. */
export async function hijack(request: ApiRequest, options: HijackOptions): Promise<HijackedConnection> {
  const contentType = request.apiVersion.atLeast('1.42') ? options.contentType : rawStream;
  const { exchange } = request;
  await exchange.takeOver(contentType);
  return {
    input: exchange.input(),
    signal: exchange.signal,
    write: (data) => exchange.write(data),
    end: () => exchange.end(),
    destroy: () => exchange.destroy(),
  };
}
