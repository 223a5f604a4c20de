import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';

export interface ChildOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** all that it reads */
  readonly stdin: Uint8Array;
}

/** A program in a process group of its own. */
export interface Child {
  readonly pid: number;
  /** Why it has failed: `exit status 1`, or the signal; undefined: it has not. */
  readonly ended: Promise<string | undefined>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
}

/** Throws, now or by `ended`, the system's error when it cannot be started. */
export function startChild(options: ChildOptions): Child {
  return typeof Bun === 'undefined' ? startByNode(options) : startByBun(options);
}

export function startByBun({ path, args, cwd, env, stdin }: ChildOptions): Child {
  const child = Bun.spawn([path, ...args], { cwd, env, stdin, stdout: 'pipe', stderr: 'pipe', detached: true });
  return { pid: child.pid, ended: child.exited.then((code) => failureOf(code, child.signalCode)), stdout: child.stdout, stderr: child.stderr };
}

export function startByNode({ path, args, cwd, env, stdin }: ChildOptions): Child {
  const child = spawn(path, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const ended = Promise.withResolvers<string | undefined>();
  child.once('error', (error) => ended.reject(error));
  child.once('exit', (code, signal) => ended.resolve(failureOf(code, signal)));
  // It may end before it has read all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return { pid: child.pid ?? 0, ended: ended.promise, stdout: webStream(child.stdout), stderr: webStream(child.stderr) };
}

function webStream(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;
}

function failureOf(code: number | null, signal: NodeJS.Signals | number | null): string | undefined {
  if (signal !== null) return String(signal);
  return code === 0 ? undefined : `exit status ${code}`;
}
