import { errorMessage, StrakeError } from '../../base/index.ts';
import { type Child, startChild } from './child.ts';

/** A program of another project that serves a layer: a shim, a network plugin. */
export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** for errors: whose program it is */
  readonly layer: string;
}

export interface CommandEnd {
  /** why it has failed: `exit status 1`, or the signal; undefined: it has not */
  readonly failure: string | undefined;
  readonly output: Buffer;
  /** what it said on stderr, up to a limit */
  readonly words: string;
}

const maxOutputBytes = 4 << 20;
const maxWordsBytes = 64 << 10;
/** After its end, for what is in the pipes: who inherited them may hold them open. */
const drainMs = 200;
/** What is ours alone: other programs are not started with what changes how we run. */
const ownVariables = /^(BUN_|NODE_|STRAKE_)/;

/**
 * Runs a program to its end, in a process group of its own, which is killed when it does not end in time (DeadlineExceeded) or is canceled. Unavailable
 * when it cannot be started.
 */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const { path, args, cwd, env = {}, stdin = new Uint8Array(), timeoutMs, signal, layer } = command;
  signal?.throwIfAborted();
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownVariables.test(name)));
  let child: Child;
  try {
    child = startChild({ path, args, cwd, env: { ...inherited, ...env }, stdin });
  } catch (error) {
    throw notStarted(path, error, layer);
  }
  const stopped = Promise.withResolvers<never>();
  const stop = (reason: unknown) => {
    try {
      if (child.pid > 0) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    stopped.reject(reason);
  };
  const abort = () => stop(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () => stop(new StrakeError('DeadlineExceeded', `${[path, args.at(-1)].join(' ').trim()} did not end within ${timeoutMs} ms`, { fields: { layer } })),
    timeoutMs,
  );
  const output = collect(child.stdout, maxOutputBytes);
  const words = collect(child.stderr, maxWordsBytes);
  try {
    const failure = await Promise.race([child.ended, stopped.promise]);
    const drained = Promise.withResolvers<void>();
    const draining = setTimeout(drained.resolve, drainMs);
    await Promise.race([Promise.all([output.done, words.done]), drained.promise]);
    clearTimeout(draining);
    return { failure, output: output.bytes(), words: words.bytes().toString().trim() };
  } catch (error) {
    if (error instanceof StrakeError || signal?.aborted) throw error;
    throw notStarted(path, error, layer);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    output.cancel();
    words.cancel();
  }
}

function notStarted(path: string, cause: unknown, layer: string): StrakeError {
  return new StrakeError('Unavailable', `${path}: ${errorMessage(cause)}`, { cause, fields: { layer } });
}

/** What has come of a stream so far, up to a limit; the rest is read and dropped, so that the writer is not held up. `done`: it is at its end, or canceled. */
function collect(stream: ReadableStream<Uint8Array>, limitBytes: number): { readonly done: Promise<void>; bytes(): Buffer; cancel(): void } {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  const readAll = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (size < limitBytes) parts.push(value.subarray(0, limitBytes - size));
      size += value.length;
    }
  };
  return {
    // A pipe that cannot be read has said all that it will.
    done: readAll().catch(() => undefined),
    bytes: () => Buffer.concat(parts),
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}
