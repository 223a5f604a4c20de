import { slowness } from './slowness.ts';

/** Kernel state such as "this cgroup directory has gone" sends no event that we can await; it is looked at this often. */
const lookEveryMs = 10;

/** Resolves with the first value of `look` that is neither undefined nor false; an Error in time says what was awaited. */
export async function until<T>(what: string, look: () => T | Promise<T>, timeoutMs = 10_000): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs * slowness;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs * slowness} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
