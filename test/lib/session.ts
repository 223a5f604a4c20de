import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { normalise } from './normalise.ts';
import type { Finished, Running, RunOptions } from './process.ts';
import type { Pty, PtySize } from './pty.ts';

/** One thing seen on an engine, normalised: a command with its outcome, or a noted fact. */
export type Observation = Readonly<Record<string, unknown>>;

/** How one step plays on one engine. What it records must be equal on the real Docker and on ours. */
export class Session {
  readonly engine: Engine;
  readonly seen: Observation[] = [];
  readonly #containers: string[] = [];
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A container's name, removed when the step ends however it ends. */
  container(name: string): string {
    this.#containers.push(name);
    return name;
  }

  onEnd(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  /** A directory that containers can bind, empty at first. */
  directory(name: string): string {
    const dir = join(this.engine.work, 'steps', name);
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  /** Runs the docker CLI and records the command with its outcome. */
  async docker(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    const finished = await this.engine.docker(argv, options);
    this.seen.push({
      command: this.#clean(`docker ${argv.join(' ')}`),
      code: finished.code,
      stdout: this.#clean(finished.stdout),
      stderr: this.#clean(finished.stderr),
    });
    return finished;
  }

  /** A command that must succeed; gives its standard output without the last line end. */
  async ok(...argv: readonly string[]): Promise<string> {
    const finished = await this.docker(argv);
    if (finished.code !== 0) throw new Error(`${this.engine.name}: docker ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr.trim()}`);
    return finished.stdout.replace(/\n$/, '');
  }

  /** Like `ok`, unrecorded: for what only the test wants to know, or what differs by its nature. */
  async quiet(...argv: readonly string[]): Promise<string> {
    const finished = await this.engine.docker(argv);
    if (finished.code !== 0) throw new Error(`${this.engine.name}: docker ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr.trim()}`);
    return finished.stdout.replace(/\n$/, '');
  }

  spawn(argv: readonly string[], options?: RunOptions & { readonly keepStdin?: boolean }): Running {
    const running = this.engine.dockerSpawn(argv, options);
    this.onEnd(() => running.stop());
    return running;
  }

  pty(argv: readonly string[], size?: PtySize): Pty {
    return this.engine.dockerPty(argv, size);
  }

  /** Records a fact that is not a command's output. */
  note(label: string, value: unknown): void {
    this.seen.push({ [label]: typeof value === 'string' ? this.#clean(value) : JSON.parse(this.#clean(JSON.stringify(value))) });
  }

  /** The pid of a container's first process, in the world's counting. */
  async pid(container: string): Promise<number> {
    return Number(await this.quiet('inspect', '--format', '{{.State.Pid}}', container));
  }

  async inspect(object: string): Promise<Record<string, unknown>> {
    const [first] = JSON.parse(await this.quiet('inspect', object)) as Record<string, unknown>[];
    if (first === undefined) throw new Error(`inspect of ${object} is empty`);
    return first;
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    if (this.#containers.length > 0) await this.engine.docker(['rm', '--force', '--volumes', ...this.#containers]);
  }

  #clean(text: string): string {
    return normalise(text, this.engine.work);
  }
}
