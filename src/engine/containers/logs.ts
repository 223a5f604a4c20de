import { StrakeError } from '../../base/index.ts';
import { multiplexed } from './client-stream.ts';
import type { ContainerContext } from './context.ts';
import { fixedNano, type LogEntry, readLog } from './logs/index.ts';
import { logPath } from './paths.ts';

export interface LogsRequest {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps?: boolean;
  readonly details?: boolean;
  readonly tail?: number;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  readonly signal: AbortSignal;
}

/** The log as the API sends it: multiplexed, or raw for a terminal. Checks before the first chunk. */
export async function containerLogs(context: ContainerContext, reference: string, request: LogsRequest): Promise<AsyncIterable<Uint8Array>> {
  const container = context.registry.get(reference);
  const path = logPath(context, container);
  if (path === '') throw new StrakeError('Unimplemented', 'configured logging driver does not support reading');
  if (!request.stdout && !request.stderr) throw new StrakeError('InvalidArgument', 'Bad parameters: you must choose at least one stream');
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const follow = request.follow && container.task !== undefined;
  const forget = container.onStopped(resolve);
  const entries = readLog({
    path,
    follow,
    ended,
    signal: request.signal,
    ...(request.tail === undefined ? {} : { tail: request.tail }),
    ...(request.sinceNs === undefined ? {} : { sinceNs: request.sinceNs }),
    ...(request.untilNs === undefined ? {} : { untilNs: request.untilNs }),
  });
  return format(entries, request, container.document.config.Tty, forget);
}

async function* format(batches: AsyncIterable<readonly LogEntry[]>, request: LogsRequest, terminal: boolean, forget: () => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const batch of batches) {
      const chunks = batch.filter(({ stream }) => request[stream]).map((entry) => formatEntry(entry, request, terminal));
      if (chunks.length > 0) yield Buffer.concat(chunks);
    }
  } finally {
    forget();
  }
}

function formatEntry(entry: LogEntry, { timestamps = false, details = false }: LogsRequest, terminal: boolean): Uint8Array {
  const text = Buffer.from(`${timestamps ? `${fixedNano(entry)} ` : ''}${details ? ' ' : ''}${entry.text}`);
  return terminal ? text : multiplexed(entry.stream, text);
}
