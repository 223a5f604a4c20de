import { StrakeError } from '../src/base/index.ts';

/** What is fuzzed: throws at the first finding. The same seed is the same inputs. */
export type Target = (runs: number, seed: number) => void | Promise<void>;

/** Processor time of one execution: the machine may be busy with others. */
const longestMicroseconds = 1_000_000;

/** The result of `act`, undefined where it refuses its input as it should: by a StrakeError. Anything else that it throws, and more than a second, is a finding. */
export function accepted<T>(act: () => T): T | undefined {
  const before = process.cpuUsage();
  try {
    return act();
  } catch (error) {
    if (!(error instanceof StrakeError)) throw error;
    return undefined;
  } finally {
    const { user, system } = process.cpuUsage(before);
    // biome-ignore lint/correctness/noUnsafeFinally: a slow refusal is a finding too
    if (user + system > longestMicroseconds) throw new Error(`it took ${user + system} µs`);
  }
}

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
