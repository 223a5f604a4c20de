import { readFileSync } from 'node:fs';
import type { Op } from '../program/index.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import { writeControl } from './write.ts';

/** How the freezer of a cgroup is seen: a file, and what it says when every process is frozen, or none. */
interface FreezerFile {
  readonly path: string;
  readonly frozen: RegExp;
  readonly thawed: RegExp;
}

/** Freezes or thaws. Beside v1 controllers it is v1's freezer, where docker's and runc's users look for it. */
export function freezeOperations(directories: CgroupDirectories, frozen: boolean): readonly Op[] {
  const v1 = v1DirectoryOf(directories, 'freezer');
  if (v1) return [writeControl(v1, 'freezer.state', frozen ? 'FROZEN' : 'THAWED')];
  return directories.v2 ? [writeControl(directories.v2, 'cgroup.freeze', frozen ? '1' : '0')] : [];
}

function freezerFile(directories: CgroupDirectories): FreezerFile | undefined {
  const v1 = v1DirectoryOf(directories, 'freezer');
  if (v1) return { path: `${v1}/freezer.state`, frozen: /^FROZEN$/m, thawed: /^THAWED$/m };
  return directories.v2 ? { path: `${directories.v2}/cgroup.events`, frozen: /^frozen 1$/m, thawed: /^frozen 0$/m } : undefined;
}

/** Whether every process is frozen; `freezing` while some are not yet; undefined without a freezer or after the cgroup's removal. */
export function readFreezer(directories: CgroupDirectories): 'frozen' | 'freezing' | 'thawed' | undefined {
  const file = freezerFile(directories);
  if (!file) return undefined;
  try {
    const text = readFileSync(file.path, 'utf8');
    return file.frozen.test(text) ? 'frozen' : file.thawed.test(text) ? 'thawed' : 'freezing';
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
