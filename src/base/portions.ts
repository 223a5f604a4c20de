/** In parts of so many, the last with what is left. */
export function* portions<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** The results in their order, so many being worked on at a time. */
export async function* inTurns<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  for (const some of portions(items, atOnce)) yield* await Promise.all(some.map(work));
}
