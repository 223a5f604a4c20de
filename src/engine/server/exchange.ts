/** One request's connection, under the handler: plain HTTP (`HttpExchange`) or a connection that asked to be upgraded (`UpgradeExchange`). */
export interface Exchange {
  /** Aborted when the client is gone. Its half-close counts as going, unless the connection was taken over. */
  readonly signal: AbortSignal;
  /** The request's body; read at most once. */
  body(): AsyncIterable<Uint8Array>;
  /** Sends status and headers; once, before `write`. */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when there is room for more. Rejects with Unavailable once the client is gone. */
  write(data: Uint8Array | string): Promise<void>;
  /** Ends the reply; idempotent. Resolves when it was handed to the kernel or the client is gone. */
  end(): Promise<void>;
  /** Cuts the connection. */
  destroy(): void;
  /** Answers so that the connection becomes a raw stream; see hijack.ts. */
  takeOver(contentType: string): Promise<void>;
  /** After `takeOver`: what the client sends. */
  input(): AsyncIterable<Uint8Array>;
}
