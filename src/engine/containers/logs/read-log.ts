import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { type LogEntry, parseLogLine } from './entries.ts';
import { inodeOf, LineReader, logGenerations, tailStart } from './log-files.ts';

export interface ReadLogOptions {
  readonly path: string;
  /** Of the last so many entries only. */
  readonly tail?: number;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  /** Goes on until `ended`, or `signal`. */
  readonly follow: boolean;
  /** Resolves when nothing more will be written. */
  readonly ended: Promise<void>;
  readonly signal: AbortSignal;
}

/** The entries of a log across its rotated files, in order. When followed, it ends only after everything that was written has been told. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<readonly LogEntry[]> {
  using changes = options.follow ? watchDirectory(path.dirname(options.path), options) : undefined;
  const generations = await logGenerations(options.path);
  const start = await startOf(generations, options.tail);
  let reader: LineReader | undefined;
  try {
    for (const [file, offset] of start) {
      await reader?.close();
      reader = await LineReader.open(file, offset);
      yield* readToEnd(reader, options);
    }
    while (changes !== undefined && !options.signal.aborted) {
      // Asked before the last look: what is written between the two is found by the next round.
      const final = changes.ended;
      const following = await nextGeneration(options.path, reader);
      if (reader !== undefined) yield* readToEnd(reader, options);
      if (following !== undefined) {
        await reader?.close();
        reader = await LineReader.open(following);
        continue;
      }
      if (final) return;
      await changes.next();
    }
  } finally {
    await reader?.close();
  }
}

async function* readToEnd(reader: LineReader, { sinceNs, untilNs, signal }: ReadLogOptions): AsyncGenerator<readonly LogEntry[]> {
  while (!signal.aborted) {
    const lines = await reader.next();
    if (lines === undefined) return;
    const entries = lines.map(parseLogLine).filter((entry) => entry !== undefined);
    const wanted = entries.filter(({ timeNs }) => (sinceNs === undefined || timeNs >= sinceNs) && (untilNs === undefined || timeNs <= untilNs));
    if (wanted.length > 0) yield wanted;
  }
}

/** Files oldest first, with the offset to read each from. */
async function startOf(generations: readonly string[], tail: number | undefined): Promise<readonly (readonly [string, number])[]> {
  if (tail === undefined) return generations.toReversed().map((file) => [file, 0] as const);
  const start: (readonly [string, number])[] = [];
  let missing = tail;
  for (const path of generations) {
    const file = await open(path, 'r');
    try {
      const { offset, found } = missing === 0 ? { offset: (await file.stat()).size, found: 0 } : await tailStart(file, missing);
      start.unshift([path, offset]);
      missing -= Math.min(found, missing);
      if (missing === 0) break;
    } finally {
      await file.close();
    }
  }
  return start;
}

/** The file that came after the one being read, when that was rotated away; the log itself when none was there yet. */
async function nextGeneration(path: string, reader: LineReader | undefined): Promise<string | undefined> {
  if (reader === undefined) return (await inodeOf(path)) === undefined ? undefined : path;
  const generations = await logGenerations(path);
  const inodes = await Promise.all(generations.map(inodeOf));
  const at = inodes.indexOf(reader.inode);
  if (at === 0) return undefined;
  // Rotated out of existence: the oldest that is left comes next.
  return at < 0 ? generations.at(-1) : generations[at - 1];
}

/** Wakes on every change in the directory, on the end and on abort. */
function watchDirectory(directory: string, { ended, signal }: Pick<ReadLogOptions, 'ended' | 'signal'>) {
  let changed = false;
  let over = false;
  let wake: (() => void) | undefined;
  const notify = () => {
    changed = true;
    wake?.();
  };
  const watcher = watch(directory, notify);
  // A container that is removed takes its directory along; `ended` tells the same.
  watcher.on('error', notify);
  void ended.then(() => {
    over = true;
    notify();
  });
  signal.addEventListener('abort', notify, { once: true });
  return {
    get ended() {
      return over;
    },
    async next(): Promise<void> {
      if (!changed) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      changed = false;
    },
    [Symbol.dispose]() {
      watcher.close();
      signal.removeEventListener('abort', notify);
    },
  };
}
