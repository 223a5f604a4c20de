import {
  type CgroupLayout,
  canWrite,
  delegatedCgroups,
  type InheritedCgroups,
  type Op,
  planCgroup,
  readCgroupLayout,
  readInheritedCpuset,
  readOwnCgroups,
} from '../../kernel/index.ts';
import type { ResourcesSpec, RuntimeSpec } from '../../oci/index.ts';
import type { CgroupPlan, Machine } from '../compile/options.ts';
import { withDefaultDeviceRules } from '../device-rules.ts';
import type { StoredContainer } from '../state/store.ts';

/** Without a path in the configuration a container has its cgroup at `/strake/<id>`. */
function containerCgroupPath(cgroupsPath: string | undefined, id: string): string {
  return cgroupsPath || `/strake/${id}`;
}

export interface CgroupRequest {
  readonly id: string;
  readonly machine: Machine;
  /** cgroups are taken where they can be had */
  readonly rootless: boolean;
}

export interface ContainerCgroup {
  /** from the roots of its hierarchies */
  readonly path: string;
  readonly plan: CgroupPlan;
}

export function containerCgroup(spec: RuntimeSpec, { id, machine, rootless }: CgroupRequest): ContainerCgroup {
  const cgroupsPath = spec.linux?.cgroupsPath;
  const resources = spec.linux?.resources;
  const layout = readCgroupLayout();
  if (!rootless) return { ...cgroupIn(layout, containerCgroupPath(cgroupsPath, id), withDefaultDeviceRules(resources)) };
  const delegated = delegatedCgroups({ layout, cgroupsPath, id, resources, ownCgroups: readOwnCgroups(), canWrite });
  const limits = devicesAreOurs(machine) ? withDefaultDeviceRules(resources) : { ...resources, devices: [] };
  return cgroupIn(delegated.layout, delegated.path, limits, delegated.inherited);
}

function cgroupIn(layout: CgroupLayout, path: string, resources: ResourcesSpec, inherited?: InheritedCgroups): ContainerCgroup {
  const plan = planCgroup({ layout, path, resources, cpuset: readInheritedCpuset(layout, path) });
  return { path, plan: inherited === undefined ? plan : { ...plan, inherited } };
}

/** Device rules are the first root's: CAP_SYS_ADMIN of the first user namespace (security/device_cgroup.c), CAP_BPF on v2. */
function devicesAreOurs({ ordinaryUser, inUserNamespace }: Machine): boolean {
  return ordinaryUser === undefined && !inUserNamespace;
}

/** The hierarchies in which a container has a cgroup, with the roots that its path is from. */
export function storedLayout({ path, v1, v2 }: StoredContainer['cgroup']): CgroupLayout {
  const layout = readCgroupLayout();
  const rootOf = (dir: string) => dir.slice(0, -path.replace(/^\/*/, '/').length) || '/';
  return {
    ...layout,
    v1: layout.v1.flatMap((hierarchy) => {
      const stored = v1.find(({ name }) => name === hierarchy.name);
      return stored === undefined ? [] : [{ ...hierarchy, mountpoint: rootOf(stored.dir) }];
    }),
    v2: layout.v2 && v2 !== undefined ? { ...layout.v2, mountpoint: rootOf(v2) } : undefined,
  };
}

/** Kills what is left in a container's cgroup and removes it. */
export function cgroupCleanup(cgroup: StoredContainer['cgroup']): readonly Op[] {
  return planCgroup({ layout: storedLayout(cgroup), path: cgroup.path }).cleanup;
}
