/** Who runs what the clients of the streams ask for. */
import type { ByteSink, Channel } from './channel.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface StreamChoice {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly terminal: boolean;
}

export interface ExecRequest extends StreamChoice {
  readonly containerId: string;
  readonly command: readonly string[];
}

export interface AttachRequest extends StreamChoice {
  readonly containerId: string;
}

export interface PortForwardRequest {
  readonly sandboxId: string;
  /** For clients that name none for each stream (WebSocket without a tunnel). */
  readonly ports: readonly number[];
}

/** The client's ends of a process's streams: those that were asked for. */
export interface ProcessStreams {
  /** Ends when the client has closed its stdin, or is gone. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly stdout: Pick<ByteSink, 'write'> | undefined;
  readonly stderr: Pick<ByteSink, 'write'> | undefined;
  /** Of the client's terminal, as it changes. Ends as stdin does. */
  readonly sizes: AsyncIterable<TerminalSize>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** The client's end of a connection to a port: `input` ends at its half-close; `end` is the pod's. */
export interface PortStream extends Pick<Channel, 'input' | 'write' | 'end'> {
  readonly signal: AbortSignal;
}

export interface StreamingBackend {
  /** Resolves with the exit code once everything was written. */
  exec(request: ExecRequest, streams: ProcessStreams): Promise<number>;
  /** Resolves when the process has ended, or the client's end of stdin ends the attachment. */
  attach(request: AttachRequest, streams: ProcessStreams): Promise<void>;
  /** Resolves when both directions are done. */
  portForward(sandboxId: string, port: number, stream: PortStream): Promise<void>;
}
