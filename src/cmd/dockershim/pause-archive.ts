import { readFile } from 'node:fs/promises';
import { writeTar } from '../../core/index.ts';
import { opsHash, programFile } from '../../kernel/index.ts';

/** A root file system with strake-init alone, as /pause. */
export const pauseArchive = {
  version: opsHash.slice(0, 12),
  archive: async (): Promise<Uint8Array> => writeTar([{ name: 'pause', type: 'file', mode: 0o755, content: await readFile(programFile('strake-init')) }]),
};
