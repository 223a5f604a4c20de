import { spawn } from 'node:child_process';
import { errorMessage, StrakeError } from '../../../base/index.ts';

export interface ShimCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const maxOutputBytes = 4 << 20;
const maxWordsBytes = 64 << 10;
/** After its end, for what is in the pipes: who inherited them may hold them open. */
const drainMs = 200;
/** What is ours alone: a shim's programs are not started with what changes how we run. */
const ownVariables = /^(BUN_|NODE_|STRAKE_)/;

/** Runs a shim's executable to its end, in a process group of its own. What it prints; Unavailable when it fails, with its own words. */
export async function runShimCommand(command: ShimCommand): Promise<Buffer> {
  const { path, args, cwd, env = {}, stdin = new Uint8Array(), timeoutMs, signal } = command;
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
    () => killGroup(new StrakeError('DeadlineExceeded', `${path} ${args.at(-1)} did not end within ${timeoutMs} ms`, { fields: { layer: 'core' } })),
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
    if (failure !== undefined)
      throw new StrakeError('Unavailable', [words().toString().trim(), failure].filter(Boolean).join(': '), { fields: { layer: 'core' } });
    return output();
  } catch (error) {
    if (error instanceof StrakeError || signal?.aborted) throw error;
    throw new StrakeError('Unavailable', `${path}: ${errorMessage(error)}`, { cause: error, fields: { layer: 'core' } });
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
