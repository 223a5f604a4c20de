import type { Attachment } from '../../core/tasks/index.ts';

/** A client's side of attach and exec: a hijacked connection. */
export interface ClientStream {
  /** Ends when the client closes its stdin. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  write(data: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

export interface PipeOptions {
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** The process's stdin ends with the client's; otherwise the end of the client's stdin ends the attachment. */
  readonly closeStdin: boolean;
  /** Waited for before the client's stream ends with the process: the client asks for the exit code then. */
  readonly exitRecorded?: Promise<unknown>;
}

const streamTypes = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Bytes to and fro until the process has ended and everything was handed over, or the client is gone. */
export async function pipeClient(client: ClientStream, attachment: Attachment, options: PipeOptions): Promise<void> {
  let isLeft = false;
  const leave = () => {
    isLeft = true;
    attachment.close();
  };
  client.signal.addEventListener('abort', leave, { once: true });
  try {
    if (client.signal.aborted) leave();
    if (options.stdin) void pipeInput(client, attachment, options, leave);
    for await (const { stream, data } of attachment.output) await client.write(options.terminal ? data : multiplexed(stream, data));
    if (!isLeft) await options.exitRecorded;
  } catch {
    // The client is gone: nobody is there to be told.
  } finally {
    client.signal.removeEventListener('abort', leave);
    attachment.close();
    await client.end().catch(() => undefined);
  }
}

async function pipeInput(client: ClientStream, attachment: Attachment, { terminal, closeStdin }: PipeOptions, leave: () => void): Promise<void> {
  try {
    for await (const chunk of client.input) await attachment.writeStdin(chunk);
    if (closeStdin && !terminal) await attachment.closeStdin();
    else leave();
  } catch {
    // The process has ended, or does not read any more: its output still goes on.
  }
}

/** Docker's stream header: type, three zero bytes, length (big endian). */
export function multiplexed(stream: 'stdout' | 'stderr', data: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(8 + data.length);
  frame.writeUInt32BE(streamTypes[stream] << 24, 0);
  frame.writeUInt32BE(data.length, 4);
  frame.set(data, 8);
  return frame;
}
