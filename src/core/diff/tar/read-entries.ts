import type { TarEntry } from './entry.ts';
import { readTarEvents } from './read-events.ts';
import type { TarLimits } from './reader.ts';

export interface TarFile {
  readonly entry: TarEntry;
  /** Read at most once, before the next entry is asked for: then the rest of it is passed over. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Reads a tar stream entry by entry, at its consumer's pace. Throws as TarReader does. */
export async function* readTarEntries(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<TarFile> {
  const events = readTarEvents(source, limits);
  async function* dataOf(): AsyncGenerator<Uint8Array> {
    for (next = await events.next(); !next.done && next.value.kind === 'data'; next = await events.next()) yield next.value.bytes;
  }
  let next = await events.next();
  try {
    while (!next.done) {
      const { value } = next;
      if (value.kind === 'entry') yield { entry: value.entry, content: dataOf() };
      if (next.value === value || (!next.done && next.value.kind === 'data')) next = await events.next();
    }
  } finally {
    await events.return(undefined);
  }
}
