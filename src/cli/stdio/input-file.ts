import { open } from 'node:fs/promises';
import { errorMessage } from '../../base/index.ts';
import { ExitStatus } from '../exit-status.ts';
import { readStdin } from './stdin.ts';

const chunkBytes = 256 << 10;

/** The bytes of a file, or of standard input without one. What cannot be opened ends the command, in docker's words. */
export async function readInput(file: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (file === undefined) return readStdin().chunks;
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new ExitStatus(1, error.code === 'ENOENT' ? `open ${file}: no such file or directory` : errorMessage(error));
  });
  return (async function* () {
    await using reading = handle;
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await reading.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  })();
}
