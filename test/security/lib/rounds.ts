/** Whether the long loops were asked for (`npm run test:security`): as many rounds as the attacks need to win their races. */
const long = process.env['STRAKE_SECURITY'] === 'full';

/** A loop ends then, whatever the machine is busy with. */
const longestMs = long ? 600_000 : 45_000;
/** For what a test does around its loop. */
const aroundMs = 60_000;

/** The time of a test that races. */
export const raceTimeoutMs = longestMs + aroundMs;

/** Runs `start` that often, or for as long as there is time; says how often it was. */
export function race(full: number, short: number, start: (round: number) => void): number {
  let count = 0;
  for (const round of rounds(full, short)) {
    start(round);
    count += 1;
  }
  return count;
}

/** The same as a loop, for what is awaited in it. */
export function* rounds(full: number, short: number): Generator<number> {
  const count = long ? full : short;
  const deadline = performance.now() + longestMs;
  let round = 0;
  while (round < count && performance.now() < deadline) yield round++;
  if (long) console.error(`${round} of ${count} rounds`);
}
