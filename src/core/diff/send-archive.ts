import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileOp } from '../../kernel/index.ts';
import type { FileSink } from './diff.ts';
import type { TarReader } from './tar/reader.ts';

/** Chunks that are there already arrive without a turn of the event loop between them: after so long, others have theirs. */
const maxTurnMs = 5;

export interface SendArchiveOptions {
  /** gives its entries to `operations` */
  readonly reader: TarReader;
  readonly operations: { take(): FileOp[] };
  readonly signal?: AbortSignal | undefined;
}

/** Reads an archive to its end, and writes to `sink` what its entries ask for. */
export async function sendArchive(chunks: AsyncIterable<Uint8Array>, sink: FileSink, { reader, operations, signal }: SendArchiveOptions): Promise<void> {
  let written = Promise.resolve();
  let turnStartedAt = performance.now();
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    reader.push(chunk);
    // One write ahead: the next chunk is read while the session writes this one.
    const before = written;
    written = sink.write(operations.take());
    written.catch(() => undefined);
    await before;
    if (performance.now() - turnStartedAt > maxTurnMs) {
      await nextTurn();
      turnStartedAt = performance.now();
    }
  }
  await written;
  reader.end();
}
