import { readFileSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';

/** A file's text; `-`: what comes on standard input. NotFound, or InvalidArgument, for a file that cannot be read. */
export function readInput(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : (cause as Error).message;
    throw new StrakeError(code === 'ENOENT' ? 'NotFound' : 'InvalidArgument', `manifest ${file}: ${why}`, { cause, fields: { layer: 'kubelet' } });
  }
}
