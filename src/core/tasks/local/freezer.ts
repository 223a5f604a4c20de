import type { CgroupDirectories } from '../../../kernel/index.ts';

/** The directories that hold the freezer: beside v1 controllers it is v1's, where docker's and runc's users look for it. */
export function freezerOf(cgroup: CgroupDirectories): CgroupDirectories {
  return cgroup.v1.some(({ controllers }) => controllers.includes('freezer')) ? { ...cgroup, v2: undefined } : cgroup;
}
