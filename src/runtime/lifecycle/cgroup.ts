import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import {
  type CgroupDirectories,
  canWrite,
  cgroupDirectories,
  delegatedCgroups,
  planCgroup,
  readCgroupLayout,
  readExistingCgroups,
  readFreezer,
  readOwnCgroups,
  v1DirectoryOf,
} from '../../kernel/index.ts';
import type { ResourcesSpec, RuntimeSpec } from '../../oci/index.ts';
import type { CgroupPlan, Machine } from '../compile/options.ts';
import { planResctrl, type ResctrlGroup, withResctrl } from '../compile/resctrl.ts';
import { withDefaultDeviceRules } from '../device-rules.ts';
import { cgroupDelegation } from './cgroup-delegation.ts';
import { readResctrl } from './resctrl.ts';

/** `disabled`: no cgroup is made, joined or changed (crun's). */
export type CgroupManager = 'cgroupfs' | 'disabled';

export interface CgroupRequest {
  readonly id: string;
  readonly machine: Machine;
  /** cgroups are taken where they can be had */
  readonly rootless: boolean;
  readonly manager: CgroupManager;
  readonly warn: (message: string) => void;
}

/** What a launch does with cgroups, and where they are. */
export interface ContainerCgroup {
  readonly plan: CgroupPlan;
  readonly directories: CgroupDirectories;
  readonly resctrl?: ResctrlGroup | undefined;
}

/** Plans a new container's cgroup, and its group of resctrl with it. */
export function containerCgroup(spec: RuntimeSpec, request: CgroupRequest): ContainerCgroup {
  const cgroup = plainCgroup(spec, request);
  const rdt = spec.linux?.intelRdt;
  if (rdt === undefined) return cgroup;
  const planned = planResctrl(rdt, request.id, readResctrl(rdt));
  return { ...cgroup, plan: withResctrl(cgroup.plan, planned), resctrl: planned.group };
}

function plainCgroup(spec: RuntimeSpec, { id, machine, rootless, manager, warn }: CgroupRequest): ContainerCgroup {
  if (manager === 'disabled') return noCgroup();
  const { cgroupsPath, resources } = spec.linux ?? {};
  const layout = readCgroupLayout();
  const cgroupPath = containerCgroupPath(cgroupsPath, id);
  const own = rootless || !cgroupPath.startsWith('/') ? readOwnCgroups() : undefined;
  const wanted = cgroupDirectories(layout, cgroupPath, own);
  const delegated = rootless && own ? delegatedCgroups({ layout, directories: wanted, isNamed: Boolean(cgroupsPath), resources, own, canWrite }) : undefined;
  const directories = delegated?.directories ?? wanted;
  warnOfIgnored(resources, warn);
  const plan = planCgroup({
    layout,
    directories,
    resources: !rootless || devicesAreOurs(machine) ? withDefaultDeviceRules(resources) : { ...resources, devices: [] },
    existing: readExistingCgroups(layout, directories),
    delegation: layout.kind === 'v2' && !rootless ? cgroupDelegation(spec) : undefined,
  });
  return { plan: delegated === undefined ? plan : { ...plan, inherited: delegated.inherited }, directories };
}

/**
 * A configuration's cgroupsPath as `cgroupDirectories` takes it: absolute from the hierarchies' root, or below the runtime's own cgroup, where a container
 * without one is, under its id (config-linux.md, "Cgroups Path"; runc's). `..` leads nowhere out of either.
 */
export function containerCgroupPath(cgroupsPath: string | undefined, id: string): string {
  if (!cgroupsPath) return id;
  if (/^[^/:]*:[^/:]*:[^/:]+$/.test(cgroupsPath))
    throw new StrakeError(
      'InvalidArgument',
      `cgroupsPath ${JSON.stringify(cgroupsPath)} has systemd's form slice:prefix:name, and cgroups are not managed by systemd here`,
      {
        fields: { layer: 'runtime', remedy: 'give it as a path, such as /slice/name' },
      },
    );
  const cleaned = path.posix.normalize(`/${cgroupsPath}`);
  return cgroupsPath.startsWith('/') ? cleaned : cleaned.slice(1);
}

/** FailedPrecondition, in runc's words, for a cgroup that others use, who would be limited, frozen and killed together with the container. */
export function checkCgroupUnused(directories: CgroupDirectories): void {
  const refuse = (message: string) => new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime' } });
  const main = v1DirectoryOf(directories, 'devices') ?? directories.v2;
  if (main !== undefined && existsSync(main)) {
    const processes = countProcesses(main);
    if (processes > 0) throw refuse(`container's cgroup is not empty: ${processes} process(es) found`);
  }
  const freezer = v1DirectoryOf(directories, 'freezer') ?? directories.v2;
  if (freezer !== undefined && existsSync(freezer) && readFreezer(directories) === 'frozen') throw refuse("container's cgroup unexpectedly frozen");
}

/** In runc's words where it has some. */
export function warnOfIgnored(resources: ResourcesSpec | undefined, warn: (message: string) => void): void {
  const memory = resources?.memory;
  if (memory?.kernel !== undefined) warn('Kernel memory settings are ignored and will be removed');
  if (memory?.useHierarchy === false) warn('linux.resources.memory.useHierarchy is ignored: every memory cgroup is hierarchical');
}

function noCgroup(): ContainerCgroup {
  return {
    plan: { v1: [], v1Links: [], v2: undefined, create: [], initAttach: [], cleanup: [], oomFile: '' },
    directories: { v1: [], v2: undefined },
  };
}

function countProcesses(dir: string): number {
  const lists = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => path.basename(name) === 'cgroup.procs');
  return lists.reduce((sum, name) => sum + readFileSync(path.join(dir, name), 'latin1').split('\n').length - 1, 0);
}

/** Device rules are the first root's: CAP_SYS_ADMIN of the first user namespace (security/device_cgroup.c), CAP_BPF on v2. */
function devicesAreOurs({ ordinaryUser, inUserNamespace }: Machine): boolean {
  return ordinaryUser === undefined && !inUserNamespace;
}
