import type { HostConfig } from '../../../api/docker/index.ts';
import type { Mount } from '../../../oci/index.ts';

/** A bind of the container: a host directory or file, or a volume's directory. */
export interface BindSource {
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly recursive: boolean;
  /** Read-only below it too. */
  readonly readonlyRecursive: boolean;
  readonly propagation: string;
}

export interface TmpfsMount {
  readonly destination: string;
  readonly options: readonly string[];
}

export interface MountInput {
  readonly hostConfig: Pick<HostConfig, 'Privileged' | 'ShmSize' | 'IpcMode' | 'ReadonlyRootfs'>;
  readonly binds: readonly BindSource[];
  readonly tmpfs: readonly TmpfsMount[];
  /** Host files that cover those of the image; undefined where the container has none. */
  readonly hostFiles: readonly { readonly source: string; readonly destination: string }[];
  /** /dev/shm of a shared IPC namespace. */
  readonly shmSource?: string;
}

/** The mounts of the runtime configuration in their order: the system's, then the container's, shallow ones first. */
export function mounts(input: MountInput): readonly Mount[] {
  const own = [...input.binds.map(bindMount), ...input.tmpfs.map(tmpfsMount)];
  const covered = new Set(own.map(({ destination }) => destination));
  const hostFiles = input.hostFiles.filter(({ destination }) => !covered.has(destination)).map(hostFileMount);
  const isCovered = ({ destination }: Mount) => [...covered].some((path) => path === destination || (path === '/dev' && destination.startsWith('/dev/')));
  return [...systemMounts(input).filter((mount) => !isCovered(mount)), ...[...own, ...hostFiles].toSorted((a, b) => depth(a) - depth(b))];
}

function systemMounts({ hostConfig, shmSource }: MountInput): readonly Mount[] {
  const access = hostConfig.Privileged ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [access, 'nosuid', 'noexec', 'nodev'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    shm(hostConfig, shmSource),
  ];
}

function shm({ ShmSize, IpcMode }: MountInput['hostConfig'], source: string | undefined): Mount {
  if (source !== undefined || IpcMode === 'host')
    return { destination: '/dev/shm', type: 'bind', source: source ?? '/dev/shm', options: ['rbind', 'rprivate'] };
  return { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${ShmSize}`] };
}

function bindMount(bind: BindSource): Mount {
  const access = !bind.readonly ? [] : ['ro', ...(bind.readonlyRecursive ? ['rro'] : [])];
  return {
    destination: bind.destination,
    type: 'bind',
    source: bind.source,
    options: [bind.recursive ? 'rbind' : 'bind', ...access, bind.propagation === '' ? 'rprivate' : bind.propagation],
  };
}

function tmpfsMount({ destination, options }: TmpfsMount): Mount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['noexec', 'nosuid', 'nodev', ...options] };
}

function hostFileMount({ source, destination }: { readonly source: string; readonly destination: string }): Mount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate'] };
}

function depth({ destination }: Mount): number {
  return destination.split('/').filter((part) => part !== '').length;
}
