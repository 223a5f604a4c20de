import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file of the owner's alone, so that after a crash of this process it is the old or the new one, whole. Not against a crash of the machine. */
export function replaceFile(file: string, data: string): void {
  writeFileSync(`${file}.new`, data, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
