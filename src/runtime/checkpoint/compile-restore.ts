import type { Op } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { cloneFlags, openFlags, propagation } from '../compile/linux-numbers.ts';
import type { CgroupPlan } from '../compile/options.ts';
import { acknowledgement, type CriuOptions, criuRequest } from './criu-request.ts';
import { isBind, isOnTmpfs } from './external.ts';

const rootSlot = 0;
const consoleSlot = 1;
const directoryMode = 0o755;
/** mount_bind's `create`: as the source */
const createAsSource = 3;
/** reap's `flags` */
const forwardSignals = 1;

export interface RestoreProgram {
  /** first of all: who holds the stdio */
  readonly monitor?: readonly Op[] | undefined;
  /** mounts the root filesystem, in the program's own mount namespace alone */
  readonly mountRoot?: readonly Op[] | undefined;
  readonly spec: RuntimeSpec;
  readonly rootfs: string;
  /** an empty directory's name, for the root filesystem to be mounted on: criu wants a mount point with a parent that nothing hides */
  readonly criuRoot: string;
  readonly criu: string;
  /** of criu; the caller's own when absent */
  readonly environment?: readonly string[] | undefined;
  readonly request: Omit<CriuOptions, 'root'>;
  readonly files: readonly string[];
  readonly firstFile: number;
  readonly cgroup: Pick<CgroupPlan, 'v1' | 'v2' | 'create' | 'cleanup'>;
  readonly consoleSocket?: string | undefined;
  readonly detach: boolean;
  /** removed with the cgroup once the processes have ended; absent: kept */
  readonly stateDirectory?: string | undefined;
}

/**
 * Makes the cgroup, and the mount points that the image expects, in a mount namespace of our own; then criu makes the processes in them. Its root is bound to a place of its own, so
 * that the binds below are there for the mount points within them alone.
 */
export function compileRestore(program: RestoreProgram): readonly Op[] {
  const { rootfs, criuRoot, cgroup, consoleSocket, detach, stateDirectory } = program;
  const procs = [...cgroup.v1.map(({ dir }) => dir), ...(cgroup.v2 === undefined ? [] : [cgroup.v2])].map((dir) => `${dir}/cgroup.procs`);
  return [
    ...(program.monitor ?? []),
    ...cgroup.create,
    { op: 'unshare', side: 'host', flags: cloneFlags.mount },
    { op: 'propagation', side: 'host', path: '/', flags: propagation.recursive | propagation.private },
    ...(program.mountRoot ?? []),
    { op: 'mkdir', side: 'host', path: criuRoot, mode: directoryMode },
    { op: 'mount_bind', side: 'host', target: criuRoot, source: rootfs, recursive: 1 },
    { op: 'open', side: 'host', out: rootSlot, path: rootfs, flags: openFlags.path | openFlags.directory | openFlags.closeOnExec, mode: 0 },
    ...mountPoints(program.spec),
    ...(consoleSocket === undefined ? [] : [{ op: 'connect_unix', side: 'host', out: consoleSlot, path: consoleSocket } as const]),
    {
      op: 'criu',
      side: 'host',
      path: program.criu,
      request: criuRequest('restore', { ...program.request, root: criuRoot }),
      acknowledgement,
      cgroups: procs,
      files: program.files,
      firstFile: program.firstFile,
      env: program.environment,
      ...(consoleSocket === undefined ? {} : { console: consoleSlot }),
    },
    ...(detach
      ? [{ op: 'detach', side: 'host' } as const]
      : [{ op: 'reap', side: 'host', ...(program.monitor === undefined ? { flags: forwardSignals } : {}) } as const]),
    ...(detach ? [] : cgroup.cleanup),
    ...(detach || stateDirectory === undefined ? [] : [{ op: 'remove_dir', side: 'host', path: stateDirectory } as const]),
  ];
}

/** criu makes those of cgroups and on a tmpfs itself. */
function mountPoints({ mounts = [] }: RuntimeSpec): readonly Op[] {
  return mounts
    .filter(({ type, destination }) => type !== 'cgroup' && type !== 'cgroup2' && !isOnTmpfs(destination, mounts))
    .map((mount) =>
      isBind(mount)
        ? { op: 'mount_bind', side: 'host', root: rootSlot, target: mount.destination, source: mount.source ?? '', recursive: 1, create: createAsSource }
        : { op: 'mkdir_in', side: 'host', root: rootSlot, path: mount.destination, mode: directoryMode, uid: 0, gid: 0 },
    );
}
