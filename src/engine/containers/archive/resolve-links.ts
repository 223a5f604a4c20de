import { isCode, StrakeError } from '../../../base/index.ts';
import type { RootTree } from '../../../core/tasks/index.ts';

const fileTypeMask = 0o170000;
const symlinkType = 0o120000;
/** As the kernel's own limit of 40 is reached first on the way to a file, this ends loops. */
const maxLinks = 255;

/**
 * The absolute path that `path` comes to with every link followed inside the root; what does not exist is taken as it is written. For showing and
 * comparing alone: operations resolve by themselves.
 */
export async function resolveLinks(tree: Pick<RootTree, 'stat'>, path: string): Promise<string> {
  const rest = path.split('/').toReversed();
  let resolved: string[] = [];
  for (let links = 0, part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved.pop();
      continue;
    }
    const target = await linkTarget(tree, `/${[...resolved, part].join('/')}`);
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    if (++links > maxLinks) throw new StrakeError('InvalidArgument', `${path}: too many links`, { fields: { layer: 'engine' } });
    if (target.startsWith('/')) resolved = [];
    rest.push(...target.split('/').toReversed());
  }
  return `/${resolved.join('/')}`;
}

async function linkTarget(tree: Pick<RootTree, 'stat'>, path: string): Promise<string | undefined> {
  try {
    const { mode, linkTarget: target } = await tree.stat(path);
    return (mode & fileTypeMask) === symlinkType ? target : undefined;
  } catch (error) {
    // ENOENT, and ENOTDIR below a file.
    if (isCode(error, 'NotFound') || isCode(error, 'FailedPrecondition')) return undefined;
    throw error;
  }
}
