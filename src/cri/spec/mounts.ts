import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { criContainer } from '../../api/cri/index.ts';
import { errorMessage } from '../../base/index.ts';
import type { Mount } from '../../oci/index.ts';
import { invalid, refused } from '../refusals.ts';
import { checkReceiving, checkShared } from './mount-point.ts';
import { idMapping } from './namespaces.ts';

const { MountPropagation: Propagation } = criContainer;

/** A mount of the container's configuration, with a source that is there. */
export type PlacedMount = Pick<
  criContainer.Mount,
  'containerPath' | 'hostPath' | 'readonly' | 'recursiveReadOnly' | 'propagation' | 'uidMappings' | 'gidMappings' | 'mountOptions'
>;

export interface MountInput {
  readonly mounts: readonly PlacedMount[];
  /** Files of the pod, and what the image declares; a mount of the configuration covers one. */
  readonly own: readonly { readonly source: string; readonly destination: string; readonly readonly: boolean }[];
  readonly sharedMemory: string;
  readonly privileged: boolean;
  /** A new sysfs is refused in the machine's network with a user namespace of one's own: then the machine's is shown. */
  readonly bindsSys: boolean;
}

export interface ContainerMounts {
  readonly mounts: readonly Mount[];
  readonly rootfsPropagation?: string;
}

/** The system's, then the container's, shallow ones first. */
export function containerMounts(input: MountInput): ContainerMounts {
  const given = input.mounts.map((mount) => ({ ...mount, containerPath: absolute(mount.containerPath) }));
  const covered = new Set(given.map(({ containerPath }) => containerPath));
  const own = input.own.filter(({ destination }) => !covered.has(destination)).map(ownMount);
  for (const { destination } of own) covered.add(destination);
  const isCovered = ({ destination }: Mount) => covered.has(destination) || (covered.has('/dev') && destination.startsWith('/dev/'));
  const placed = [...given.map(bindMount), ...own].toSorted((a, b) => depth(a) - depth(b));
  return {
    mounts: [...systemMounts(input).filter((mount) => !isCovered(mount)), ...placed],
    ...rootPropagation(given),
  };
}

function systemMounts({ privileged, sharedMemory, bindsSys }: MountInput): readonly Mount[] {
  const access = privileged ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    bindsSys
      ? { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'rro', 'nosuid', 'noexec', 'nodev'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', access] },
    { destination: '/dev/shm', type: 'bind', source: sharedMemory, options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev', 'rw'] },
  ];
}

function ownMount({ source, destination, readonly }: MountInput['own'][number]): Mount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', readonly ? 'ro' : 'rw'] };
}

function bindMount(mount: PlacedMount): Mount {
  const source = sourceOf(mount.hostPath);
  return {
    destination: mount.containerPath,
    type: 'bind',
    source,
    options: ['rbind', propagationOf(mount, source), accessOf(mount), ...mount.mountOptions],
    ...(mount.uidMappings.length === 0 ? {} : { uidMappings: mount.uidMappings.map(idMapping) }),
    ...(mount.gidMappings.length === 0 ? {} : { gidMappings: mount.gidMappings.map(idMapping) }),
  };
}

/** What is missing is made as a directory, as every runtime of the interface does; what it is by links is taken. */
function sourceOf(hostPath: string): string {
  if (!path.isAbsolute(hostPath)) throw invalid(`host path ${JSON.stringify(hostPath)} must be absolute`);
  try {
    if (!existsSync(hostPath)) mkdirSync(hostPath, { recursive: true, mode: 0o755 });
    return realpathSync(hostPath);
  } catch (cause) {
    throw refused('InvalidArgument', `failed to resolve host path ${JSON.stringify(hostPath)}: ${errorMessage(cause)}`, {}, cause);
  }
}

function propagationOf({ propagation }: PlacedMount, source: string): string {
  switch (propagation) {
    case Propagation.PROPAGATION_BIDIRECTIONAL:
      checkShared(source);
      return 'rshared';
    case Propagation.PROPAGATION_HOST_TO_CONTAINER:
      checkReceiving(source);
      return 'rslave';
    default:
      return 'rprivate';
  }
}

function accessOf({ readonly, recursiveReadOnly, propagation, hostPath }: PlacedMount): string {
  if (!recursiveReadOnly) return readonly ? 'ro' : 'rw';
  if (!readonly) throw invalid(`recursive read-only mount conflicts with RW mount (hostPath=${JSON.stringify(hostPath)})`);
  if (propagation !== Propagation.PROPAGATION_PRIVATE)
    throw invalid(`recursive read-only mount needs private propagation (hostPath=${JSON.stringify(hostPath)})`);
  return 'rro';
}

/** A bind that is to propagate needs a root that lets it. */
function rootPropagation(mounts: readonly PlacedMount[]): { readonly rootfsPropagation?: string } {
  if (mounts.some(({ propagation }) => propagation === Propagation.PROPAGATION_BIDIRECTIONAL)) return { rootfsPropagation: 'rshared' };
  return mounts.some(({ propagation }) => propagation === Propagation.PROPAGATION_HOST_TO_CONTAINER) ? { rootfsPropagation: 'rslave' } : {};
}

function absolute(containerPath: string): string {
  if (containerPath === '' || containerPath.includes('\0')) throw invalid(`invalid container path ${JSON.stringify(containerPath)}`);
  const clean = path.posix.normalize(path.posix.isAbsolute(containerPath) ? containerPath : `/${containerPath}`);
  return clean.length > 1 ? clean.replace(/\/+$/, '') : clean;
}

function depth({ destination }: Mount): number {
  return destination.split('/').filter((part) => part !== '').length;
}
