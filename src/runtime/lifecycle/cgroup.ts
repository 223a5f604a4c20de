import { type Op, planCgroup, readCgroupLayout, readInheritedCpuset } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { CgroupPlan } from '../compile/options.ts';
import { withDefaultDeviceRules } from '../device-rules.ts';

/** Without a path in the configuration a container has its cgroup at `/strake/<id>`. */
export function containerCgroupPath(cgroupsPath: string | undefined, id: string): string {
  return cgroupsPath || `/strake/${id}`;
}

export function containerCgroup(spec: RuntimeSpec, id: string): CgroupPlan {
  const layout = readCgroupLayout();
  const path = containerCgroupPath(spec.linux?.cgroupsPath, id);
  return planCgroup({ layout, path, resources: withDefaultDeviceRules(spec.linux?.resources), cpuset: readInheritedCpuset(layout, path) });
}

/** Kills what is left in a container's cgroup and removes it. */
export function cgroupCleanup(path: string): readonly Op[] {
  return planCgroup({ layout: readCgroupLayout(), path }).cleanup;
}
