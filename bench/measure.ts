import type { Place } from '../test/lib/world.ts';
import type { Machines } from './machines.ts';
import { interleave, Timer } from './timer.ts';

/** Medians in ms by competitor; `strake` is ours, and absent when only the peers run. */
export interface CaseResult {
  readonly name: string;
  readonly unit: 'ms' | 'KiB';
  readonly rounds: number;
  readonly medians: Readonly<Record<string, number>>;
}

export interface Rounds {
  readonly run: number;
  readonly pull: number;
}

export type Commands = Readonly<Record<string, readonly string[]>>;

export interface Measurement {
  readonly name: string;
  readonly rounds: number;
  readonly commands: Commands;
  /** untimed, before each measurement */
  readonly before?: (timer: Timer) => Promise<void>;
  /** where a command runs: ours in the world itself, the peers in their root */
  readonly place?: (label: string) => Place;
}

/** Runs one case: every command interleaved with the others. What came of it is told at once. */
export async function measure(machines: Machines, timed: string, { name, rounds, commands, before, place }: Measurement): Promise<CaseResult> {
  const placeOf = place ?? ((label: string) => (label.startsWith('strake') ? machines.world : machines.peers));
  const timers = Object.entries(commands).map(([label, argv]) => new Timer(label, placeOf(label), timed, argv));
  try {
    await interleave(timers, rounds, before);
  } finally {
    for (const timer of timers) await timer.end();
  }
  const medians = Object.fromEntries(timers.map((timer) => [timer.label, timer.medianMs]));
  console.error(`${name}: ${timers.map(({ label, medianMs }) => `${label} ${medianMs.toFixed(1)} ms`).join(', ')}`);
  return { name, unit: 'ms', rounds, medians };
}
