import { realpathSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';

/**
 * Where a path of a mounted image is. Nobody writes to what an image holds, so a path in it stays what it was when it was looked at. InvalidArgument for
 * one that is not in it, or that leads out of it by a link.
 */
export function pathWithin(root: string, subPath: string): string {
  if (subPath === '') return root;
  const refuse = (why: string) => new StrakeError('InvalidArgument', `sub path ${JSON.stringify(subPath)} ${why}`);
  if (path.isAbsolute(subPath)) throw refuse('of an image must be relative');
  let found: string;
  try {
    found = realpathSync(path.join(root, subPath));
  } catch {
    throw refuse('is not in the image');
  }
  if (found !== root && !found.startsWith(`${root}/`)) throw refuse('leads out of the image');
  return found;
}
