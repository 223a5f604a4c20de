import { readFileSync } from 'node:fs';
import path from 'node:path';

/** One mounted cgroup v1 hierarchy. */
export interface V1Hierarchy {
  /** the directory's name below the cgroup root: `cpu,cpuacct`, `memory`, `systemd` */
  readonly name: string;
  readonly mountpoint: string;
  /** what part of the hierarchy the mount shows; `/` outside containers */
  readonly root: string;
  /** empty for a named hierarchy such as systemd's */
  readonly controllers: readonly string[];
  /** how /proc/PID/cgroup calls it: one of its controllers, or `name=systemd` */
  readonly key: string;
}

/** The cgroup v2 tree. */
export interface V2Tree {
  readonly mountpoint: string;
  readonly root: string;
  /** what its root can hand out; empty where v1 has taken every controller */
  readonly controllers: readonly string[];
}

/** Where this machine's cgroups are. `hybrid`: v1 controllers with a v2 tree beside them. */
export interface CgroupLayout {
  readonly kind: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly v1: readonly V1Hierarchy[];
  readonly v2: V2Tree | undefined;
}

export interface CgroupLayoutSource {
  /** /proc/self/mountinfo */
  readonly mountinfo: string;
  /** /proc/cgroups */
  readonly cgroups: string;
  /** cgroup.controllers of the v2 tree's root, when it is mounted */
  readonly v2Controllers?: (mountpoint: string) => string;
}

/** Finds the hierarchies in the kernel's texts (proc_pid_mountinfo(5), cgroups(7)). The first mount of a hierarchy counts. */
export function detectCgroupLayout(source: CgroupLayoutSource): CgroupLayout {
  const known = knownControllers(source.cgroups);
  const v1: V1Hierarchy[] = [];
  const seen = new Set<string>();
  let v2: V2Tree | undefined;
  for (const line of source.mountinfo.split('\n')) {
    const mount = parseMount(line);
    if (mount?.type === 'cgroup2' && !v2) {
      const controllers = (source.v2Controllers?.(mount.mountpoint) ?? '').split(/\s+/).filter((name) => name !== '');
      v2 = { mountpoint: mount.mountpoint, root: mount.root, controllers };
    }
    if (mount?.type !== 'cgroup') continue;
    const options = mount.superOptions.split(',');
    const controllers = options.filter((option) => known.has(option));
    const key = controllers[0] ?? options.find((option) => option.startsWith('name='));
    if (key === undefined || seen.has(key)) continue;
    seen.add(key);
    v1.push({ name: path.basename(mount.mountpoint), mountpoint: mount.mountpoint, root: mount.root, controllers, key });
  }
  const kind = v1.some((hierarchy) => hierarchy.controllers.length > 0) ? (v2 ? 'hybrid' : 'v1') : v2 ? 'v2' : 'none';
  return { kind, v1, v2 };
}

/** The layout of the running machine. */
export function readCgroupLayout(): CgroupLayout {
  return detectCgroupLayout({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroups: readFileSync('/proc/cgroups', 'utf8'),
    v2Controllers: (mountpoint) => readFileSync(path.join(mountpoint, 'cgroup.controllers'), 'utf8'),
  });
}

/** Names in the first column of /proc/cgroups. */
function knownControllers(text: string): ReadonlySet<string> {
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('\t')[0] ?? ''),
  );
}

function parseMount(line: string) {
  const [before, after] = line.split(' - ');
  if (before === undefined || after === undefined) return undefined;
  const [, , , root, mountpoint] = before.split(' ');
  const [type, , superOptions] = after.split(' ');
  if (root === undefined || mountpoint === undefined || type === undefined || superOptions === undefined) return undefined;
  return { root: unescapeOctal(root), mountpoint: unescapeOctal(mountpoint), type, superOptions };
}

/** Space, tab, newline and backslash are written as octal escapes there. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
