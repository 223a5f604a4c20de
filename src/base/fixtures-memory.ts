import { heapStats } from 'bun:jsc';

/** How many objects `act` leaves in memory for each of so many times, on average. As many before them, which compile what runs and make what stays, do not count. */
export async function keptObjects(times: number, act: () => Promise<unknown>): Promise<number> {
  const before = await objectsAfter(times, act);
  return ((await objectsAfter(times, act)) - before) / times;
}

async function objectsAfter(times: number, act: () => Promise<unknown>): Promise<number> {
  for (let time = 0; time < times; time += 1) await act();
  Bun.gc(true);
  return heapStats().objectCount;
}
