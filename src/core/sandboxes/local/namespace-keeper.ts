import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type { Launcher, Op } from '../../../kernel/index.ts';
import type { KeepNamespaces, KeptNamespaces, KeptType, NamespaceKeeper, NewType } from '../namespace-keeper.ts';

/** linux/sched.h, and its name below /proc/PID/ns */
const flags: Readonly<Record<NewType, number>> = { network: 0x4000_0000, ipc: 0x0800_0000, uts: 0x0400_0000 };
const names: Readonly<Record<KeptType, string>> = { network: 'net', ipc: 'ipc', uts: 'uts', pid: 'pid', user: 'user' };
/** linux/magic.h, NSFS_MAGIC */
const nsfs = 0x6e73_6673;
/** mount_setattr(2): NOSUID | NODEV | NOEXEC; mount(2): MS_PRIVATE; umount2(2): MNT_DETACH */
const inert = 0x2 | 0x4 | 0x8;
const privateMount = 0x0004_0000;
const detach = 2;
/** mount_bind and mount_fs, field `create` */
const asDirectory = 1;
const asFile = 2;
const sharedMemoryName = 'shm';

/** Binds of namespaces' files, as `ip netns` makes them (ip-netns(8)): the kernel keeps what is mounted. */
export function createLocalNamespaceKeeper(launcher: Pick<Launcher, 'run'>): NamespaceKeeper {
  const release = async (directory: string): Promise<void> => {
    if (!existsSync(directory)) return;
    await launcher.run([
      ...[...Object.values(names), sharedMemoryName].map((name) => unmount(path.join(directory, name))),
      { op: 'remove_dir', side: 'host', path: directory },
    ]);
  };
  return {
    async keep(options) {
      try {
        await launcher.run(keepOperations(options));
      } catch (error) {
        await release(options.directory).catch(() => undefined);
        throw error;
      }
      const { directory, types, sharedMemoryBytes } = options;
      return { ...pathsOf(directory, types), ...(sharedMemoryBytes === undefined ? {} : { sharedMemory: path.join(directory, sharedMemoryName) }) };
    },
    async keepOf(pid, types, directory) {
      await launcher.run([
        { op: 'mkdir', side: 'host', path: directory, mode: 0o711 },
        ...types.flatMap((type) => {
          const target = path.join(directory, names[type]);
          return [unmount(target), bind(`/proc/${pid}/ns/${names[type]}`, target)];
        }),
      ]);
      return pathsOf(directory, types);
    },
    keptAt(directory, types) {
      const paths = pathsOf(directory, types);
      if (!Object.values(paths).every(isNamespace)) return undefined;
      const sharedMemory = path.join(directory, sharedMemoryName);
      return existsSync(sharedMemory) ? { ...paths, sharedMemory } : paths;
    },
    release,
  };
}

function isNamespace(file: string): boolean {
  try {
    return statfsSync(file).type === nsfs;
  } catch {
    return false;
  }
}

function keepOperations({ directory, types, hostname, sysctls = {}, sharedMemoryBytes }: KeepNamespaces): readonly Op[] {
  const left = types.reduce((sum, type) => sum | flags[type], 0);
  return [
    { op: 'mkdir', side: 'host', path: directory, mode: 0o711 },
    ...(sharedMemoryBytes === undefined ? [] : [sharedMemory(path.join(directory, sharedMemoryName), sharedMemoryBytes)]),
    ...(left === 0 ? [] : [{ op: 'unshare', side: 'host', flags: left } as const]),
    ...(types.includes('uts') && hostname !== undefined ? [{ op: 'sethostname', side: 'host', name: hostname } as const] : []),
    ...(types.includes('network') ? [{ op: 'lo_up', side: 'host' } as const] : []),
    ...Object.entries(sysctls).map(([key, value]): Op => ({ op: 'sysctl', side: 'host', key, value })),
    ...types.map((type) => bind(`/proc/self/ns/${names[type]}`, path.join(directory, names[type]))),
  ];
}

function sharedMemory(target: string, sizeBytes: number): Op {
  const options = ['mode=1777', `size=${sizeBytes}`];
  return { op: 'mount_fs', side: 'host', target, fstype: 'tmpfs', source: 'shm', options, attrs: inert, propagation: privateMount, create: asDirectory };
}

function bind(source: string, target: string): Op {
  return { op: 'mount_bind', side: 'host', target, source, propagation: privateMount, create: asFile };
}

function unmount(target: string): Op {
  return { op: 'umount', side: 'host', path: target, flags: detach, ignore: 1 };
}

function pathsOf(directory: string, types: readonly KeptType[]): KeptNamespaces {
  return Object.fromEntries(types.map((type) => [type, path.join(directory, names[type])]));
}
