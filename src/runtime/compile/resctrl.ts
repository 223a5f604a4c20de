import type { Op } from '../../kernel/index.ts';
import type { IntelRdt } from '../../oci/index.ts';
import { cannotHonour, invalid } from './error.ts';
import type { CgroupPlan } from './options.ts';

const field = 'linux.intelRdt';
const removalTimeoutMs = 1_000;

/** What of resctrl the machine has (Documentation/filesystems/resctrl.rst). */
export interface Resctrl {
  /** where it is mounted */
  readonly root: string;
  /** allocation of the L3 cache (CAT), and of memory bandwidth (MBA) */
  readonly cache: boolean;
  readonly bandwidth: boolean;
  /** whether the group that the configuration names by its closID is there */
  readonly groupExists: boolean;
}

/** A container's places in resctrl. */
export interface ResctrlGroup {
  /** files that a process writes itself into */
  readonly tasks: readonly string[];
  /** directories that go with the container */
  readonly remove: readonly string[];
}

/** config-linux.md, "IntelRdt", with runc's rules and messages. `resctrl`: undefined where none is mounted. */
export function planResctrl(rdt: IntelRdt, id: string, resctrl: Resctrl | undefined): { readonly group: ResctrlGroup; readonly create: readonly Op[] } {
  if (resctrl === undefined)
    throw cannotHonour(field, 'intelRdt is specified in config, but Intel RDT is not enabled: mount the resctrl filesystem at /sys/fs/resctrl');
  const { closID = '', l3CacheSchema = '', memBwSchema = '' } = rdt;
  if (closID === '.' || closID === '..' || (closID.length > 1 && closID.includes('/')))
    throw invalid(field, `invalid intelRdt.ClosID ${JSON.stringify(closID)}`);
  if (l3CacheSchema !== '' && !resctrl.cache) throw cannotHonour(field, 'intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled');
  if (memBwSchema !== '' && !resctrl.bandwidth) throw cannotHonour(field, 'intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled');
  const schemata = [l3CacheSchema, memBwSchema, ...(rdt.schemata ?? [])].filter((line) => line !== '');
  if (closID !== '' && schemata.length === 0 && !resctrl.groupExists)
    throw invalid(field, 'clos dir not accessible (must be pre-created when schemata, l3CacheSchema and memBwSchema are empty)');
  const group = resctrlGroup(rdt, id, resctrl.root);
  const create: Op[] = group.tasks.map((file) => ({ op: 'mkdir', side: 'host', path: file.slice(0, file.lastIndexOf('/')), mode: 0o755 }));
  if (schemata.length > 0)
    create.splice(1, 0, {
      op: 'write_file',
      side: 'host',
      path: `${closDirectory(closID || id, resctrl.root)}/schemata`,
      data: Buffer.from(`${schemata.join('\n')}\n`),
    });
  return { group, create };
}

/** A group that the configuration names is others' too: it stays. */
function resctrlGroup({ closID = '', enableMonitoring }: IntelRdt, id: string, root: string): ResctrlGroup {
  const own = closDirectory(closID || id, root);
  const monitored = enableMonitoring ? [`${own}/mon_groups/${id}`] : [];
  return { tasks: [own, ...monitored].map((dir) => `${dir}/tasks`), remove: closID === '' ? [own] : monitored };
}

/** `/` names the default group, which is the root. */
function closDirectory(name: string, root: string): string {
  return name === '/' ? root : `${root}/${name}`;
}

/** "0" moves the writer. */
export function joinResctrl({ tasks }: ResctrlGroup): readonly Op[] {
  return tasks.map((path) => ({ op: 'write_file', side: 'init', path, data: Buffer.from('0') }));
}

export function leaveResctrl({ remove }: ResctrlGroup): readonly Op[] {
  return remove.map((path) => ({ op: 'rmdir', side: 'host', path, timeoutMs: removalTimeoutMs }));
}

/** The group is made, joined and removed with the cgroups. */
export function withResctrl(plan: CgroupPlan, { group, create }: ReturnType<typeof planResctrl>): CgroupPlan {
  return {
    ...plan,
    create: [...plan.create, ...create],
    initAttach: [...plan.initAttach, ...joinResctrl(group)],
    cleanup: [...plan.cleanup, ...leaveResctrl(group)],
  };
}
