import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../base/index.ts';

/** The identity of a data root as containerd's clients know it, made at its first use. */
export function readServerId(root: string): string {
  const file = path.join(root, 'containerd-uuid');
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
