import type { Op, SeccompFilter } from '../../kernel/index.ts';
import type { NetDevice } from '../../kernel/netlink/index.ts';
import type { ResctrlGroup } from './resctrl.ts';

/** Maps of user and group ids as user_namespaces(7) has them. */
export interface IdMap {
  readonly uids: string;
  readonly gids: string;
}

/** How to mount a root filesystem: a snapshot's mount, or a plain directory (a bundle's). */
export type RootfsMount =
  | { readonly type: 'directory'; readonly path: string }
  | { readonly type: 'bind'; readonly source: string; readonly readonly: boolean; readonly idMap?: IdMap }
  | {
      readonly type: 'overlay';
      /** uppermost first, host paths */
      readonly lowers: readonly string[];
      readonly upper: string | undefined;
      readonly work: string | undefined;
      readonly readonly: boolean;
      /** Other owners for the lower ones. */
      readonly idMap?: IdMap;
    };

/** One cgroup v1 hierarchy: the directory's name below /sys/fs/cgroup (`cpu,cpuacct`), and the container's own directory in it. */
export interface CgroupV1Directory {
  readonly name: string;
  readonly dir: string;
}

/** What the cgroup layer decided for one container (kernel/cgroup). */
export interface CgroupPlan {
  /** the container's v1 directories; empty on pure v2 */
  readonly v1: readonly CgroupV1Directory[];
  /** other names of co-mounted hierarchies: pairs of name and target (`cpu` → `cpu,cpuacct`) */
  readonly v1Links: readonly (readonly [string, string])[];
  /** the container's v2 directory, into which the init is cloned; undefined on pure v1 */
  readonly v2: string | undefined;
  /** makes the directories and writes the limits; run before the init exists */
  readonly create: readonly Op[];
  /** the init joins every v1 hierarchy itself, first thing on its side */
  readonly initAttach: readonly Op[];
  /** kills what is left and removes the directories; run after the init has ended */
  readonly cleanup: readonly Op[];
  /** the file with a line `oom_kill N`; empty when there is none */
  readonly oomFile: string;
  /** cgroups of the runtime's, in hierarchies where the container could get none of its own */
  readonly inherited?: { readonly v1: readonly CgroupV1Directory[]; readonly v2: string | undefined };
}

export interface NetworkOps {
  readonly hostOperations: readonly Op[];
  readonly initOperations: readonly Op[];
  readonly cleanupOperations: readonly Op[];
}

/** Where the output of a monitored process goes beside the log and the attached clients. */
export type OutputRoute =
  /** somebody opens it to read, before the process is made or soon after */
  | { readonly kind: 'fifo'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  /** reads stdout from descriptor 3 and stderr from 4, and closes 5 when it is ready */
  | { readonly kind: 'program'; readonly argv: readonly string[]; readonly env: readonly string[] };

export interface StdioRoutes {
  /** A FIFO. The process's stdin ends with its last writer, once it is let end. */
  readonly stdin?: string | undefined;
  readonly stdout?: OutputRoute | undefined;
  /** Not asked for when `stdout` is a program, which gets both. */
  readonly stderr?: OutputRoute | undefined;
}

export type Stdio =
  /** strake-init stays as the monitor and holds the container's stdio or pty */
  | {
      readonly kind: 'monitor';
      readonly dir: string;
      readonly terminal: boolean;
      readonly openStdin: boolean;
      readonly stdinOnce: boolean;
      /** the terminal's output is not for a terminal that needs CR before LF: the caller's own adds it */
      readonly plainNewlines?: boolean;
      readonly consoleSize?: { readonly rows: number; readonly cols: number } | undefined;
      readonly log?: { readonly path: string; readonly driver: 'json-file' | 'cri'; readonly maxSizeBytes: number; readonly maxFiles: number } | undefined;
      readonly routes?: StdioRoutes | undefined;
    }
  /** the container has the caller's descriptors 0–2, or a pty whose master goes to a console socket */
  | { readonly kind: 'inherit'; readonly consoleSocket?: string | undefined };

export type StartMode =
  /** report `created`, then wait for START on the connection (or the monitor's socket) */
  | { readonly kind: 'connection' }
  /** report `created`, then wait for a byte on this FIFO */
  | { readonly kind: 'fifo'; readonly path: string }
  | { readonly kind: 'at-once' };

/** What the machine allows; read once by the caller so that compiling stays pure. */
export interface Machine {
  /** CapBnd of the runtime: bit n is capability n */
  readonly boundingSet: bigint;
  readonly arch: 'x86_64' | 'aarch64';
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** whether /proc/kcore is there (CONFIG_PROC_KCORE) */
  readonly kcore: boolean;
  /** every capability that the kernel knows, which is what the bounding set of a new user namespace has */
  readonly allCapabilities: bigint;
  /** the runtime itself is in a user namespace: it has no power over devices and over what lies outside */
  readonly inUserNamespace: boolean;
  /** who runs the runtime; undefined: uid 0 of its user namespace */
  readonly ordinaryUser?: OrdinaryUser | undefined;
}

export interface OrdinaryUser {
  readonly uid: number;
  readonly gid: number;
  /** absolute paths of newuidmap(1) and newgidmap(1), where they are installed */
  readonly newuidmap?: string | undefined;
  readonly newgidmap?: string | undefined;
}

/** Which calls a process makes is written down (operation `learn`). */
export interface Learning {
  /** a file that is not there yet, on the host */
  readonly record: string;
  /** a random number */
  readonly pass: bigint;
}

interface CommonOptions {
  readonly id: string;
  readonly stdio: Stdio;
  readonly start: StartMode;
  /** leave the init to the nearest subreaper instead of waiting for it */
  readonly detach?: boolean;
  /** signals to the process that waits for the init are the init's */
  readonly forwardSignals?: boolean;
  readonly machine: Machine;
  /** descriptors from 3 on that the process keeps */
  readonly preserveFds?: number;
  readonly noNewKeyring?: boolean;
  /** a listening unix socket that gets a pidfd of the process */
  readonly pidfdSocket?: string | undefined;
  /** what could not be given as asked but does not prevent the container */
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly onDebug?: ((message: string) => void) | undefined;
  readonly learn?: Learning | undefined;
  /** what linux.seccomp was compiled to before; it is compiled when absent */
  readonly seccompFilter?: SeccompFilter | undefined;
}

export interface CreateOptions extends CommonOptions {
  readonly rootfs: RootfsMount;
  /** what is written to an overlay need not survive a crash of the machine; its work directory must bear no mark of an earlier such mount */
  readonly volatileRoot?: boolean | undefined;
  /** where a root that is not a plain directory is mounted, in the container's mount namespace alone; made when missing */
  readonly mountpoint?: string | undefined;
  /** the mount that holds the root directory: needed with every rootfsPropagation but rslave and rprivate */
  readonly rootfsParentMount?: string | undefined;
  /** what relative bind sources are relative to */
  readonly bundle: string;
  readonly cgroup: CgroupPlan;
  readonly network?: NetworkOps | undefined;
  readonly noPivot?: boolean;
  /** docker --init: pid 1 is a small reaper and the process its child */
  readonly reaper?: boolean;
  /** of the runtime's network namespace; only for a configuration that moves some */
  readonly netDevices?: readonly NetDevice[] | undefined;
  /** `NAME=value` entries for hooks that have no environment of their own: the caller's, as runc and crun do */
  readonly hookEnvironment?: readonly string[] | undefined;
  /** the cgroup stays when the init was waited for */
  readonly keepCgroup?: boolean | undefined;
  /** what the caller keeps of the container: removed last, when the init was waited for */
  readonly stateDirectory?: string | undefined;
}

export interface ExecOptions extends CommonOptions {
  readonly init: { readonly pid: number /** field 22 of /proc/PID/stat, clock ticks */; readonly startTime: number | bigint };
  /** what a seccomp agent is told of the container */
  readonly bundle?: string | undefined;
  /** the container's cgroup, which the process joins */
  readonly cgroup: { readonly v1: readonly CgroupV1Directory[]; readonly v2?: string | undefined };
  readonly resctrl?: ResctrlGroup | undefined;
}
