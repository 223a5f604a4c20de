import type { Finished, Running, RunOptions } from '../lib/process.ts';
import type { Place } from '../lib/world.ts';
import { Client } from './client.ts';
import { differences } from './store-differences.ts';

export interface CtrOptions {
  readonly place: Place;
  /** Stands for the engine in names; nothing else is called so. */
  readonly name: string;
  readonly socket: string;
  readonly namespace: string;
  /** Where its snapshots are. */
  readonly snapshots: string;
  readonly work: string;
}

/** `ctr` on one socket, in a namespace of its own. */
export class CtrClient extends Client {
  readonly #ctr: CtrOptions;

  constructor(options: CtrOptions) {
    const { place, name, socket, namespace, work } = options;
    super({ place, runtime: name, command: ['ctr', '--address', socket, '--namespace', namespace], work });
    this.#ctr = options;
  }

  get socketAndNamespace(): readonly [string, string] {
    return [this.#ctr.socket, this.#ctr.namespace];
  }

  /** In another namespace, recorded. */
  async runIn(namespace: string, ...argv: readonly string[]): Promise<Finished> {
    const finished = await this.outside(['ctr', '--address', this.#ctr.socket, '--namespace', namespace, ...argv]);
    const { code, stdout, stderr } = finished;
    this.note(`in ${namespace}: ${argv.join(' ')}`, { code, stdout, stderr });
    return finished;
  }

  /** Of another program, unrecorded. */
  async outside(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return await this.#ctr.place.run(argv, options);
  }

  spawn(argv: readonly string[]): Running {
    return this.#ctr.place.spawn(['ctr', '--address', this.#ctr.socket, ...argv]);
  }

  override note(label: string, fact: unknown): void {
    super.note(
      this.#tidy(label),
      JSON.parse(JSON.stringify(fact), (_key, value) => (typeof value === 'string' ? this.#tidy(value) : value)),
    );
  }

  #tidy(text: string): string {
    const { snapshots, socket } = this.#ctr;
    const plain = text
      .replaceAll(snapshots, '<snapshots>')
      .replaceAll(socket, '<socket>')
      .replace(/(<snapshots>)\/\d+\//g, '$1/N/')
      // Go's maps have no order.
      .replace(/[\w./-]+=[^\s,"]*(?:,[\w./-]+=[^\s,"]*)+/g, (labels) => labels.split(',').sort().join(','));
    return differences.reduce((known, { pattern, replacement }) => known.replace(pattern, replacement), plain);
  }
}

export interface CtrStep {
  readonly name: string;
  play(client: CtrClient): Promise<void>;
}

/** What a step sees on an engine. */
export async function seenOn(step: CtrStep, options: CtrOptions) {
  const client = new CtrClient(options);
  try {
    await step.play(client);
  } finally {
    await client.end();
  }
  return client.seen;
}
