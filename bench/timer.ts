import { join } from 'node:path';
import type { Running } from '../test/lib/process.ts';
import type { Place } from '../test/lib/world.ts';
import { capture } from '../tools/peers/shell.ts';

/** Compiles the timing helper, statically, so that it runs in the world and in the peer root alike. */
export function buildTimed(work: string): string {
  const program = join(work, 'timed');
  capture(['gcc', '-O2', '-static', '-Wall', '-Wextra', '-Werror', '-o', program, join(import.meta.dirname, 'timed.c')]);
  return program;
}

/** One command that is measured again and again, in the namespaces where it belongs. */
export class Timer {
  readonly label: string;
  readonly samplesMs: number[] = [];
  readonly #running: Running;
  #answers = 0;

  constructor(label: string, place: Place, timed: string, argv: readonly string[]) {
    this.label = label;
    this.#running = place.spawn([timed, ...argv], { keepStdin: true });
  }

  /** Runs the command once; `keep` false is a warm-up. A command that fails ends the benchmark with what it said. */
  async once(keep = true): Promise<number> {
    this.#running.write('go\n');
    this.#answers += 1;
    const [, ns, status] = await this.#running.output(new RegExp(`^(?:\\d+ \\d+\\n){${this.#answers - 1}}(\\d+) (\\d+)\\n`), { timeoutMs: 300_000 });
    if (status !== '0') throw new Error(`${this.label}: exit ${status}: ${this.#running.stderr.slice(-1000)}`);
    const ms = Number(ns) / 1e6;
    if (keep) this.samplesMs.push(ms);
    return ms;
  }

  get medianMs(): number {
    return median(this.samplesMs);
  }

  async end(): Promise<void> {
    this.#running.endInput();
    await this.#running.stop();
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Rounds of every timer one after the other, so that a slow moment of the machine falls on all. After two warm-up rounds, or one where a round takes
 * long. `before` runs untimed before each measurement.
 */
export async function interleave(timers: readonly Timer[], rounds: number, before: (timer: Timer) => Promise<void> = async () => undefined): Promise<void> {
  const warmUps = rounds > 5 ? 2 : rounds > 1 ? 1 : 0;
  for (let round = 0; round < rounds + warmUps; round += 1) {
    for (const timer of timers) {
      await before(timer);
      await timer.once(round >= warmUps);
    }
  }
}
