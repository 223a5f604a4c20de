import path from 'node:path';

/** path_resolution(7), MAXSYMLINKS */
const maxLinks = 40;

/**
 * The name that `target` has below a root once its links are followed inside of it: by that criu knows a mount point. It is a name only: what it leads to
 * is found by criu and the kernel, and a wrong one is a checkpoint that fails. `readLink` gives undefined for what is no link.
 */
export function resolveLinks(target: string, readLink: (name: string) => string | undefined): string {
  let done = '/';
  let left = target.split('/');
  for (let links = 0; left.length > 0; ) {
    const [name = '', ...rest] = left;
    left = rest;
    if (name === '' || name === '.') continue;
    const next = path.posix.join(done, name);
    const link = name === '..' ? undefined : readLink(next);
    if (link === undefined || links >= maxLinks) {
      done = next;
      continue;
    }
    links += 1;
    if (link.startsWith('/')) done = '/';
    left = [...link.split('/'), ...left];
  }
  return done;
}
