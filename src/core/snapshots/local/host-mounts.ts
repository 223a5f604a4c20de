import { mkdir, rmdir } from 'node:fs/promises';
import { isMountPoint } from '../../../base/index.ts';
import type { Launcher, Op } from '../../../kernel/index.ts';
import type { SnapshotMount } from '../snapshots.ts';

/** Mounts snapshots where people of the machine look at them. */
export interface HostMounts {
  /** Read-only, and so that nothing in it gives rights or is a device. The directory is made, for root alone. */
  mount(target: string, mount: SnapshotMount): Promise<void>;
  /** Takes the mount and its directory away; FailedPrecondition while somebody is in it. */
  unmount(target: string): Promise<void>;
  isMounted(target: string): boolean;
}

/** MOUNT_ATTR_RDONLY, NOSUID and NODEV of mount_setattr(2). */
const attributes = 1n | 2n | 4n;

export function createHostMounts(launcher: Pick<Launcher, 'run'>): HostMounts {
  return {
    async mount(target, mount) {
      await mkdir(target, { recursive: true, mode: 0o700 });
      await launcher.run([mountOn(target, mount)]);
    },
    async unmount(target) {
      await launcher.run([{ op: 'umount', side: 'host', path: target, flags: 0, ignore: 1 }]);
      await rmdir(target);
    },
    isMounted: isMountPoint,
  };
}

function mountOn(target: string, mount: SnapshotMount): Op {
  if (mount.type === 'bind') return { op: 'mount_bind', side: 'host', target, source: mount.source, recursive: 0, set: attributes };
  return { op: 'overlay', side: 'host', target, lowers: [...mount.lowers], upper: '', work: '', attrs: attributes };
}
