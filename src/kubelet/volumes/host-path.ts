import { closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';

const kinds: Readonly<Record<string, (stats: Stats) => boolean>> = {
  Directory: (stats) => stats.isDirectory(),
  DirectoryOrCreate: (stats) => stats.isDirectory(),
  File: (stats) => stats.isFile(),
  FileOrCreate: (stats) => stats.isFile(),
  Socket: (stats) => stats.isSocket(),
  CharDevice: (stats) => stats.isCharacterDevice(),
  BlockDevice: (stats) => stats.isBlockDevice(),
};

/**
 * Sees to it that a path of the machine is what a manifest says it is, and makes it where the manifest asks for that.
 * @throws StrakeError FailedPrecondition when it is not
 */
export function prepareHostPath(path: string, type: string): void {
  if (type === '') return;
  const matches = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (matches === undefined) throw failed(`hostPath type ${JSON.stringify(type)} is not known`);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) {
    if (!matches(stats)) throw failed(`hostPath type check failed: ${path} is not a ${type.replace('OrCreate', '')}`);
  } else if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 });
  else if (type === 'FileOrCreate') closeSync(openSync(path, 'a', 0o644));
  else throw failed(`hostPath type check failed: ${path} is not there`);
}

function failed(message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'kubelet' } });
}
