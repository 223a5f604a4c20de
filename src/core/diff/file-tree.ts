import { constants } from 'node:fs';
import type { Launcher, Op } from '../../kernel/index.ts';
import type { OpenFileTree } from './diff.ts';

/** Open for lookups only, and never through a link in its place (Linux fcntl.h; node has no name for O_PATH). */
const directoryFlags = 0o10000000 | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Sessions of strake-init, each a process that is chrooted into its directory. */
export function createOpenFileTree(launcher: Pick<Launcher, 'fileSession'>): OpenFileTree {
  return async (directory, { signal } = {}) => {
    const program: readonly Op[] = [
      { op: 'open', side: 'host', out: 0, path: directory, flags: directoryFlags, mode: 0 },
      { op: 'chroot', side: 'host', root: 0 },
      { op: 'files', side: 'host' },
    ];
    return await launcher.fileSession(program, signal === undefined ? {} : { signal });
  };
}
