import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';
import { replaceFile } from './replace-file.ts';

/** What a file says that something is known by: a UUID, made at its first use. */
export function readIdentity(file: string): string {
  try {
    const id = readFileSync(file, 'utf8').trim();
    if (id !== '') return id;
  } catch (error) {
    if (errorCode(error) !== 'NotFound') throw error;
  }
  const id = randomUUID();
  replaceFile(file, `${id}\n`);
  return id;
}
