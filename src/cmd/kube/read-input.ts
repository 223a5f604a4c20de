import { readFileSync } from 'node:fs';

/** A file's text; `-`: what comes on standard input. */
export function readInput(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}
