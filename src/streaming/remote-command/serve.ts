import type { Duplex } from 'node:stream';
import { errorMessage } from '../../base/index.ts';
import type { ProcessStreams, StreamChoice, TerminalSize } from '../backend.ts';
import { isWebSocket } from '../http/handshake.ts';
import type { Head } from '../http/read-head.ts';
import type { CommandClient, ConnectOptions } from './client.ts';
import { readSizes } from './sizes.ts';
import { connectSpdyClient } from './spdy-client.ts';
import { formatStatus, type Outcome } from './status.ts';
import { connectWebSocketClient } from './websocket-client.ts';

export interface CommandOptions extends ConnectOptions {
  /** In front of why it failed, for the client. */
  readonly failing: string;
}

/** Connects the client with what `run` runs, and tells it how that ended: by an exit code, or by an error. */
export async function serveCommand(
  socket: Duplex,
  head: Head,
  choice: StreamChoice,
  run: (streams: ProcessStreams) => Promise<number>,
  options: CommandOptions,
): Promise<void> {
  const connect = isWebSocket(head) ? connectWebSocketClient : connectSpdyClient;
  const client = await connect(socket, head, choice, options);
  const outcome = await runFor(client, run, options.failing);
  // Everything else may have failed because the client is gone: then this does too, and nobody misses it.
  await client.error.write(Buffer.from(formatStatus(outcome, client.statusFormat))).catch(() => undefined);
  client.close();
}

async function runFor(client: CommandClient, run: (streams: ProcessStreams) => Promise<number>, failing: string): Promise<Outcome> {
  const { stdin, stdout, stderr, resize, signal } = client;
  try {
    return { kind: 'exit', code: await run({ stdin: stdin?.input, stdout, stderr, sizes: sizesOf(resize?.input), signal }) };
  } catch (error) {
    return { kind: 'failure', message: `${failing}: ${errorMessage(error)}` };
  }
}

async function* sizesOf(input: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<TerminalSize> {
  if (input !== undefined) yield* readSizes(input);
}
