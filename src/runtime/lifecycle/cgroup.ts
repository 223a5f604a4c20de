import type { CgroupPlan } from '../compile/options.ts';
import type { Op } from '../../kernel/index.ts';
import type { ResourcesSpec } from '../../oci/index.ts';
import type { StoredContainer } from '../state/store.ts';
import { cgroupDirectories, cgroupCreateOperations, cgroupRemoveOperations, readCgroupLayout } from '../../kernel/index.ts';

/** Without a path in the configuration a container has its cgroup at `/strake/<id>`. */
export function planCgroup(cgroupsPath: string | undefined, id: string, resources: ResourcesSpec | undefined): CgroupPlan {
  const layout = readCgroupLayout();
  const directories = cgroupDirectories(layout, cgroupsPath || `/strake/${id}`);
  return { v1: directories.v1, v2: directories.v2, create: cgroupCreateOperations(layout, directories, resources ?? {}), cleanup: cgroupRemoveOperations(directories) };
}

export function cgroupCleanup({ v1, v2 }: StoredContainer['cgroup']): readonly Op[] {
  return cgroupRemoveOperations({ v1, v2 });
}
