import { spawn } from 'node:child_process';
import { errorMessage, StrakeError } from '../../base/index.ts';

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
  const child = spawn(path, args, { cwd, env: { ...inherited, ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const ended = Promise.withResolvers<string | undefined>();
  const closed = Promise.withResolvers<void>();
  child.once('error', (error) => ended.reject(error));
  child.once('exit', (code, killedBy) => ended.resolve(code === 0 ? undefined : (killedBy ?? `exit status ${code}`)));
  child.once('close', () => closed.resolve());
  const killGroup = (reason: unknown) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    ended.reject(reason);
  };
  const abort = () => killGroup(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () => killGroup(new StrakeError('DeadlineExceeded', `${[path, args.at(-1)].join(' ').trim()} did not end within ${timeoutMs} ms`, { fields: { layer } })),
    timeoutMs,
  );
  const output = collect(child.stdout, maxOutputBytes);
  const words = collect(child.stderr, maxWordsBytes);
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  try {
    const failure = await ended.promise;
    const drained = setTimeout(() => closed.resolve(), drainMs);
    await closed.promise;
    clearTimeout(drained);
    return { failure, output: output(), words: words().toString().trim() };
  } catch (error) {
    if (error instanceof StrakeError || signal?.aborted) throw error;
    throw new StrakeError('Unavailable', `${path}: ${errorMessage(error)}`, { cause: error, fields: { layer } });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** What comes, up to a limit; the rest is read and dropped, so that the writer is not held up. */
function collect(stream: NodeJS.ReadableStream, limitBytes: number): () => Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < limitBytes) parts.push(chunk.subarray(0, limitBytes - size));
    size += chunk.length;
  });
  return () => Buffer.concat(parts);
}
