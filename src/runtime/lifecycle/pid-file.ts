import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';

/** Appears whole: whoever waits for the file reads a whole number. */
export function writePidFile(file: string, pid: number): void {
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}`);
  try {
    writeFileSync(unfinished, String(pid), { flag: 'wx', mode: 0o666 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const remedy = 'the directory of --pid-file has to be there';
    throw new StrakeError('NotFound', `open ${file}: no such file or directory`, { cause, fields: { layer: 'runtime', remedy } });
  }
  renameSync(unfinished, file);
}
