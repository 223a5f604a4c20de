import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { namesIn, replaceFile, StrakeError } from '../base/index.ts';

/** What a file holds; undefined when there is none. DataLoss when it cannot be read. */
export function readJsonFile<T extends object>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new StrakeError('DataLoss', `damaged network state ${file}`, {
      cause: error,
      fields: { layer: 'network', remedy: `stop the containers and remove ${file}` },
    });
  }
}

/** Replaces a file of the owner's alone, atomically against a crash of this process. Its directory is made (0700). */
export function writeJsonFile(file: string, value: unknown): void {
  const write = () => replaceFile(file, `${JSON.stringify(value)}\n`);
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    write();
  }
}

/** What the files of a directory hold, in the order of their names; those that a crash left before their rename have another ending. */
export function readJsonDirectory<T extends object>(directory: string): readonly T[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJsonFile<T>(path.join(directory, name)) ?? []);
}
