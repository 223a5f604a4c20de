import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { namesDirectory } from './paths.ts';

export interface CopySource {
  /** What it is called where it comes from: `.` for what is in a directory. */
  readonly name: string;
  readonly isDirectory: boolean;
}

export interface CopyTarget {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

export interface Destination {
  /** An existing directory, as far as can be known. */
  readonly directory: string;
  /** What the source becomes in it; '' puts what is in it there. */
  readonly name: string;
}

/** Where a copy goes, by cp's rules: into a directory that exists, over a file, or under a new name. Texts are docker's. */
export function destinationOf(source: CopySource, target: CopyTarget): Destination {
  if (target.exists && target.isDirectory) return { directory: target.path, name: source.name === '.' || source.name === '/' ? '' : source.name };
  if (target.exists && source.isDirectory) throw new StrakeError('InvalidArgument', 'cannot copy directory', { fields: { layer: 'cli' } });
  if (!target.exists && !source.isDirectory && namesDirectory(target.path))
    throw new StrakeError('InvalidArgument', 'no such directory', { fields: { layer: 'cli' } });
  const cleaned = path.posix.normalize(target.path).replace(/(.)\/$/, '$1');
  return { directory: path.posix.dirname(cleaned), name: path.posix.basename(cleaned) };
}
