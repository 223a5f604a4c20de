import { normalise } from '../lib/normalise.ts';
import type { Finished, RunOptions } from '../lib/process.ts';
import type { Observation } from '../lib/session.ts';
import type { Place } from '../lib/world.ts';

export interface ClientOptions {
  readonly place: Place;
  /** the runtime's path, as the place sees it */
  readonly runtime: string;
  /** the command line up to its first word that is a step's own */
  readonly command: readonly string[];
  /** a directory whose name means nothing */
  readonly work: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer's command line over one OCI runtime. What it records must be equal over another. */
export class Client {
  readonly runtime: string;
  readonly seen: Observation[] = [];
  readonly #options: ClientOptions;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(options: ClientOptions) {
    this.runtime = options.runtime;
    this.#options = options;
  }

  get work(): string {
    return this.#options.work;
  }

  /** Runs it and records command and outcome. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.quiet(argv, options);
    const { code, stdout, stderr } = finished;
    this.note(argv.join(' '), { code, stdout, stderr });
    return finished;
  }

  /** One that must succeed; its standard output without the last line end. */
  async ok(...argv: readonly string[]): Promise<string> {
    const finished = await this.run(argv);
    if (finished.code !== 0) throw new Error(`${this.runtime}: ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr.trim()}`);
    return finished.stdout.replace(/\n$/, '');
  }

  /** Unrecorded: what differs by its nature. */
  async quiet(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const { place, command, env } = this.#options;
    return await place.run([...command, ...argv], { ...options, env: { ...env, ...options.env } });
  }

  note(label: string, fact: unknown): void {
    const clean = (text: string) => normalise(text, this.#options.work).replaceAll(this.runtime, '<runtime>');
    this.seen.push({ [clean(label)]: JSON.parse(JSON.stringify(fact), (_key, value) => (typeof value === 'string' ? clean(value) : value)) });
  }

  /** Run when the step has ended, however it has. */
  onEnd(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
  }
}

/** One row of a table. */
export interface PeerStep {
  readonly name: string;
  play(client: Client): Promise<void>;
}

/** What a step sees over a runtime. */
export async function seenOver(step: PeerStep, options: ClientOptions): Promise<readonly Observation[]> {
  const client = new Client(options);
  try {
    await step.play(client);
  } finally {
    await client.end();
  }
  return client.seen;
}
