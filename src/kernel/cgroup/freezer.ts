import { readFile } from 'node:fs/promises';
import type { Op } from '../program/index.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import { writeControl } from './write.ts';

/** How the freezer of a cgroup is seen: a file, and what it says when every process is frozen, or none. */
export interface FreezerFile {
  readonly path: string;
  readonly frozen: RegExp;
  readonly thawed: RegExp;
}

/** Freezes or thaws. The v2 freezer is taken where there is one: processes that it holds can still be killed. */
export function freezeOperations(directories: CgroupDirectories, frozen: boolean): readonly Op[] {
  if (directories.v2) return [writeControl(directories.v2, 'cgroup.freeze', frozen ? '1' : '0')];
  const v1 = v1DirectoryOf(directories, 'freezer');
  return v1 ? [writeControl(v1, 'freezer.state', frozen ? 'FROZEN' : 'THAWED')] : [];
}

export function freezerFile(directories: CgroupDirectories): FreezerFile | undefined {
  if (directories.v2) return { path: `${directories.v2}/cgroup.events`, frozen: /^frozen 1$/m, thawed: /^frozen 0$/m };
  const v1 = v1DirectoryOf(directories, 'freezer');
  return v1 ? { path: `${v1}/freezer.state`, frozen: /^FROZEN$/m, thawed: /^THAWED$/m } : undefined;
}

/** Whether every process is frozen; `freezing` while some are not yet; undefined without a freezer or after the cgroup's removal. */
export async function readFreezer(directories: CgroupDirectories): Promise<'frozen' | 'freezing' | 'thawed' | undefined> {
  const file = freezerFile(directories);
  if (!file) return undefined;
  try {
    const text = await readFile(file.path, 'utf8');
    return file.frozen.test(text) ? 'frozen' : file.thawed.test(text) ? 'thawed' : 'freezing';
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
