import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Appears whole: whoever waits for the file reads a whole number. */
export function writePidFile(file: string, pid: number): void {
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}`);
  writeFileSync(unfinished, String(pid), { flag: 'wx', mode: 0o666 });
  renameSync(unfinished, file);
}
