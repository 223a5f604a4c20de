import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { type LogEntry, parseLogLine } from './entries.ts';
import { LineReader, logGenerations, openNewer, tailStart } from './log-files.ts';

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
  using changes = options.follow ? watchLog(options) : undefined;
  let reader: LineReader | undefined;
  try {
    for (const [file, offset] of await startOf(await logGenerations(options.path), options.tail)) {
      reader?.close();
      reader = LineReader.openNow(file, offset);
      if (reader === undefined) continue;
      changes?.seen(reader.inode);
      yield* readToEnd(reader, options);
    }
    while (changes !== undefined && !options.signal.aborted) {
      // Asked before the last look: what is written between the two is found by the next round.
      const final = changes.ended;
      const following = changes.nextFile();
      if (reader !== undefined) yield* readToEnd(reader, options);
      if (following !== undefined) {
        reader?.close();
        reader = following;
      } else if (final) return;
      else await changes.next();
    }
  } finally {
    reader?.close();
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

/**
 * Wakes on every change in the log's directory, on the end and on abort. Files that appear are opened at once and queued: a quick writer may have
 * rotated one away before it is its turn.
 */
function watchLog({ path: log, ended, signal }: Pick<ReadLogOptions, 'path' | 'ended' | 'signal'>) {
  const files: LineReader[] = [];
  let newest: number | undefined;
  let changed = false;
  let over = false;
  let wake: (() => void) | undefined;
  const notify = () => {
    const opened = openNewer(log, newest);
    newest = opened.at(-1)?.inode ?? newest;
    files.push(...opened);
    changed = true;
    wake?.();
  };
  const watcher = watch(path.dirname(log), notify);
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
    /** Is being read already. */
    seen(inode: number): void {
      newest ??= inode;
      const at = files.findIndex((file) => file.inode === inode);
      if (at < 0) newest = files.at(-1)?.inode ?? inode;
      else for (const file of files.splice(0, at + 1)) file.close();
    },
    nextFile(): LineReader | undefined {
      notify();
      return files.shift();
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
      for (const file of files) file.close();
    },
  };
}
