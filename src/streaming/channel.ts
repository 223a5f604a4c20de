/** A stream inside of a connection, whichever way the connection is cut into streams. */
export interface Channel extends ByteSink {
  /** Ends when the peer has sent its last, or is gone. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Nobody will read the input: what comes is dropped. */
  ignoreInput(): void;
}

export interface ByteSink {
  /** Resolves when there is room for more (back-pressure). Rejects with Unavailable once the peer does not take it any more. */
  write(data: Uint8Array): Promise<void>;
  /** Half-closes behind what was written; idempotent. */
  end(): void;
}
