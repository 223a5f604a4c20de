import { readMounts, StrakeError } from '../../base/index.ts';
import { allDirectories, cgroupDirectories, type Launcher, type Op, readCgroupLayout } from '../../kernel/index.ts';
import type { HostMounts } from './volume.ts';

/** umount2(2): not while it is in use, but once it no longer is; and no link is followed. */
const detachNoFollow = 2 | 8;
/** open(2): a descriptor that names a place only. */
const oPath = 0o10000000;
const newAsSource = 3;
const subPathMode = 0o750;
const removeCgroupMs = 2000;

/** Mounts by programs of operations, in the mount namespace of the kubelet, which must be the container runtime's. */
export class KernelMounts implements HostMounts {
  readonly #launcher: Launcher;

  constructor(launcher: Launcher) {
    this.#launcher = launcher;
  }

  async tmpfs(target: string, { sizeBytes, mode, gid }: { sizeBytes: bigint | undefined; mode: number; gid: number }): Promise<void> {
    const options = [`mode=${mode.toString(8)}`, `gid=${gid}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
    await this.#launcher.run([{ op: 'mount_fs', side: 'host', target, fstype: 'tmpfs', source: 'tmpfs', options }]);
  }

  async bindBelow(volume: string, subPath: string, target: string): Promise<void> {
    const root: Op = { op: 'open', side: 'host', out: 0, path: volume, flags: oPath, mode: 0 };
    // A path beside a slot is resolved inside of what the slot is.
    const bind: Op = { op: 'mount_bind', side: 'host', target, source: subPath, sourceFd: 0, recursive: 1, create: newAsSource };
    try {
      await this.#launcher.run([root, bind]);
    } catch (error) {
      if (!(error instanceof StrakeError) || error.fields.errno !== 'ENOENT') throw error;
      await this.#launcher.run([root, { op: 'mkdir_in', side: 'host', root: 0, path: subPath, mode: subPathMode, uid: 0, gid: 0 }, bind]);
    }
  }

  async remove(directory: string): Promise<void> {
    const mounted = readMounts().filter(({ target }) => target.startsWith(`${directory}/`));
    const unmount = mounted.reverse().map(({ target: path }): Op => ({ op: 'umount', side: 'host', path, flags: detachNoFollow, ignore: 1 }));
    await this.#launcher.run([...unmount, { op: 'remove_dir', side: 'host', path: directory }]);
  }

  async removeCgroup(path: string): Promise<void> {
    const directories = allDirectories(cgroupDirectories(readCgroupLayout(), path));
    await this.#launcher.run(directories.map((directory): Op => ({ op: 'rmdir', side: 'host', path: directory, timeoutMs: removeCgroupMs })));
  }
}
