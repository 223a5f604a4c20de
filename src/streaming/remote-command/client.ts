import type { ByteSink, Channel } from '../channel.ts';
import type { StatusFormat } from './status.ts';

/** A client of exec or attach, once all the streams that it asked for are there. */
export interface CommandClient {
  readonly stdin: Channel | undefined;
  readonly stdout: ByteSink | undefined;
  readonly stderr: ByteSink | undefined;
  readonly resize: Channel | undefined;
  readonly error: ByteSink;
  readonly statusFormat: StatusFormat;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Ends the connection, behind what was written. */
  close(): void;
}

export interface ConnectOptions {
  readonly idleMs: number;
  /** For the client to open its streams. */
  readonly creationMs: number;
}
