import { existsSync } from 'node:fs';
import { allDirectories, cgroupDirectories, readCgroupLayout, readCgroupStats } from '../../kernel/index.ts';
import type { TaskStats } from './tasks.ts';

/** What a cgroup and all below it have used, by its path from the hierarchies' roots; undefined where there is none. */
export type ReadCgroup = (path: string) => Promise<TaskStats | undefined>;

export function createCgroupReader(): ReadCgroup {
  const layout = readCgroupLayout();
  return async (path) => {
    const directories = cgroupDirectories(layout, path);
    return allDirectories(directories).some((directory) => existsSync(directory)) ? await readCgroupStats(layout, directories) : undefined;
  };
}
