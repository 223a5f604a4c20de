import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** What a file says that something is known by: a UUID, made at its first use. */
export function readIdentity(file: string): string {
  try {
    const id = readFileSync(file, 'utf8').trim();
    if (id !== '') return id;
  } catch (error) {
    if (errorCode(error) !== 'NotFound') throw error;
  }
  const id = randomUUID();
  writeFileSync(file, `${id}\n`, { mode: 0o600 });
  return id;
}
