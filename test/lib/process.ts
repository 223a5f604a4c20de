import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { slowness } from './slowness.ts';

/** What a finished command left: exit code (128+n after a signal, as a shell says it) and all of its output. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  /** All of the input; the end of it is sent as EOF. Absent: /dev/null. */
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60 s: no single step of the suites takes longer. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000 * slowness;
/** A command that floods its output is a failing test, not a full memory. */
const outputLimitBytes = 256 << 20;
const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

/** A running command in a process group of its own, so that it is ended together with what it started. */
export class Running {
  readonly argv: readonly string[];
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly #chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  readonly #watchers = new Set<() => void>();
  #exited = false;
  #bytes = 0;

  constructor(argv: readonly string[], options: RunOptions & { readonly keepStdin?: boolean } = {}) {
    this.argv = argv;
    const started = performance.now();
    const [program, ...args] = argv as [string, ...string[]];
    const wantsStdin = options.stdin !== undefined || options.keepStdin === true;
    this.child = spawn(program, args, {
      stdio: [wantsStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      detached: true,
    });
    this.child.stdin?.on('error', () => undefined); // EPIPE: the command ended without reading; its exit code tells the story
    if (options.stdin !== undefined) this.child.stdin?.end(options.stdin);
    for (const stream of ['stdout', 'stderr'] as const) {
      this.child[stream]?.on('data', (chunk: Buffer) => this.#take(stream, chunk));
    }
    this.finished = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.#exited = true;
        for (const watcher of this.#watchers) watcher();
        const shellCode = code ?? 128 + (signalNumbers[signal ?? ''] ?? 0);
        resolve({ code: shellCode, stdout: this.stdout, stderr: this.stderr, ms: performance.now() - started });
      });
    });
    this.finished.catch(() => undefined);
  }

  get stdout(): string {
    return Buffer.concat(this.#chunks.stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#chunks.stderr).toString();
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** The pid of what nsenter (a wrapper, when it enters a pid namespace) started; the child's own when there is no wrapper. */
  get innerPid(): number {
    const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').trim();
    return children === '' ? (this.child.pid as number) : Number(children.split(' ')[0]);
  }

  /** Resolves when the output so far matches; rejects when the command ends first, or after the time. */
  async output(pattern: RegExp, options: { readonly stream?: 'stdout' | 'stderr'; readonly timeoutMs?: number } = {}): Promise<RegExpExecArray> {
    const stream = options.stream ?? 'stdout';
    return await this.#watch(options.timeoutMs ?? defaultTimeoutMs, () => pattern.exec(this[stream]) ?? undefined, `output like ${pattern}`);
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  endInput(): void {
    this.child.stdin?.end();
  }

  /** Sends a signal to the whole group; a group that has gone is fine. */
  signal(name: NodeJS.Signals): void {
    try {
      process.kill(-(this.child.pid as number), name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** SIGTERM, then SIGKILL when it has not ended within `graceMs`. */
  async stop(graceMs = 10_000): Promise<Finished> {
    if (!this.#exited) this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    try {
      return await this.finished;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > outputLimitBytes) {
      this.signal('SIGKILL');
      return;
    }
    this.#chunks[stream].push(chunk);
    for (const watcher of this.#watchers) watcher();
  }

  async #watch<T>(timeoutMs: number, look: () => T | undefined, what: string): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#exited) settle(() => reject(new Error(this.#story(`ended without ${what}`))));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(this.#story(`no ${what} within ${timeoutMs} ms`)))), timeoutMs);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        act();
      };
      this.#watchers.add(check);
      check();
    });
  }

  #story(problem: string): string {
    return `${this.argv.join(' ')}: ${problem}\nstdout: ${this.stdout.slice(-2000)}\nstderr: ${this.stderr.slice(-2000)}`;
  }
}

/** Runs a command to its end. Any exit code is an answer; only one that does not end within its time is an error. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const running = new Running(argv, options);
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.signal('SIGKILL');
  }, timeoutMs);
  try {
    const finished = await running.finished;
    if (late)
      throw new Error(`${argv.join(' ')}: no end within ${timeoutMs} ms\nstdout: ${finished.stdout.slice(-2000)}\nstderr: ${finished.stderr.slice(-2000)}`);
    return finished;
  } finally {
    clearTimeout(timer);
  }
}
