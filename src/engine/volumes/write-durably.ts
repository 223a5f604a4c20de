import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Replaces a file so that after a crash it is the old or the new one, whole: write, fsync, rename, fsync of the directory. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  await using handle = await open(temporary, 'w', 0o600);
  await handle.writeFile(text);
  await handle.sync();
  await rename(temporary, file);
  await using directory = await open(path.dirname(file), 'r');
  await directory.sync();
}
