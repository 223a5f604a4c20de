import type { TarEntry } from './entry.ts';
import { type TarLimits, TarReader } from './reader.ts';

export type TarEvent = { readonly kind: 'entry'; readonly entry: TarEntry } | { readonly kind: 'data'; readonly bytes: Uint8Array };

/** Reads a tar stream at its consumer's pace: an entry, then its data in pieces, which are views of what came. Throws as TarReader does. */
export async function* readTarEvents(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<TarEvent> {
  let events: TarEvent[] = [];
  const reader = new TarReader(
    { entry: (entry) => void events.push({ kind: 'entry', entry }), data: (bytes) => void events.push({ kind: 'data', bytes }) },
    limits,
  );
  for await (const chunk of source) {
    reader.push(chunk);
    yield* events;
    events = [];
  }
  reader.end();
}
