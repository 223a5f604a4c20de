// Made by tools/gen-ops.ts from native/ops.def; do not edit.

export const opsHash = '7a79cd8040679440';
export const defaultStateRoot = '/run/strake-runc';

/** open PATH into a slot; with dir, below that slot and resolved inside it (RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) */
export interface OpenOp {
  readonly op: 'open';
  readonly side: 'host' | 'init';
  readonly out: number;
  readonly dir?: number | undefined;
  readonly path: string;
  readonly flags?: number | undefined;
  readonly mode: number;
}

/** close a slot */
export interface CloseOp {
  readonly op: 'close';
  readonly side: 'host' | 'init';
  readonly fd: number;
}

/** connect a stream socket to PATH (@NAME: an abstract one) into a slot: console socket, seccomp agent */
export interface ConnectUnixOp {
  readonly op: 'connect_unix';
  readonly side: 'host';
  readonly out: number;
  readonly path: string;
}

/** leave namespaces: CLONE_NEW* flags (time: host side, for children) */
export interface UnshareOp {
  readonly op: 'unshare';
  readonly side: 'host' | 'init';
  readonly flags?: number | bigint | undefined;
}

/** setns to the namespace (or pidfd) in a slot; host side affects children for pid */
export interface JoinOp {
  readonly op: 'join';
  readonly side: 'host' | 'init';
  readonly fd: number;
  readonly flags?: number | bigint | undefined;
}

/** fork the init process into new namespaces (CLONE_NEW* flags); cgroup: slot of a v2 directory for CLONE_INTO_CGROUP */
export interface CloneOp {
  readonly op: 'clone';
  readonly side: 'host';
  readonly flags?: number | bigint | undefined;
  readonly cgroup?: number | undefined;
}

/** write the init's id map: kind 0 uid_map, 1 gid_map, 2 setgroups; text as the kernel wants it */
export interface IdMapOp {
  readonly op: 'id_map';
  readonly side: 'host';
  readonly kind: number;
  readonly text: string;
}

/** write /proc/self/timens_offsets, after unshare of time, before anything has entered it */
export interface TimeOffsetsOp {
  readonly op: 'time_offsets';
  readonly side: 'host' | 'init';
  readonly text: string;
}

/** write the init's id map by the setuid HELPER (newuidmap(1), newgidmap(1)): executed with the init's pid, then IDS (container id, host id, size, …); what it says on failure is the detail */
export interface IdMapHelperOp {
  readonly op: 'id_map_helper';
  readonly side: 'host';
  readonly helper: string;
  readonly ids: readonly string[];
}

/** open a pidfd of a host pid into a slot, and verify its start time (clock ticks, 0 = do not) against pid reuse */
export interface PidfdOpenOp {
  readonly op: 'pidfd_open';
  readonly side: 'host' | 'init';
  readonly out: number;
  readonly pid: number;
  readonly startTime?: number | bigint | undefined;
}

/** make sure that a process (pid and start time in clock ticks) has ended: flags 1 kill it and wait at most timeout_ms, else EBUSY while it lives */
export interface EndProcessOp {
  readonly op: 'end_process';
  readonly side: 'host';
  readonly pid: number;
  readonly startTime: number | bigint;
  readonly timeoutMs: number;
  readonly flags?: number | undefined;
}

/** make a host directory and its missing parents; an existing one is fine; with an owner (not 0) the directory and those of its DELEGATE files that are there become that user's */
export interface MkdirOp {
  readonly op: 'mkdir';
  readonly side: 'host' | 'init';
  readonly path: string;
  readonly mode: number;
  readonly owner?: number | undefined;
  readonly delegate?: readonly string[] | undefined;
}

/** write to an existing host file (cgroup, /proc, /sys); flags: 1 ignore ENOENT, 2 ignore any failure, 4 create/truncate (mode 0644), 8 a FIFO without a reader is an error (ENXIO), 16 each line by itself (with 2 all of them); ELSE_DATA goes to ELSE_PATH when PATH is missing */
export interface WriteFileOp {
  readonly op: 'write_file';
  readonly side: 'host' | 'init';
  readonly path: string;
  readonly data: Uint8Array;
  readonly flags?: number | undefined;
  readonly elsePath?: string | undefined;
  readonly elseData?: Uint8Array | undefined;
}

/** remove a host directory and its (cgroup) subdirectories, retrying EBUSY for at most timeout_ms; missing is fine */
export interface RmdirOp {
  readonly op: 'rmdir';
  readonly side: 'host';
  readonly path: string;
  readonly timeoutMs: number;
}

/** remove a host directory and everything below it, without crossing mounts; missing is fine */
export interface RemoveDirOp {
  readonly op: 'remove_dir';
  readonly side: 'host';
  readonly path: string;
}

/** remove a host file; missing is fine */
export interface UnlinkOp {
  readonly op: 'unlink';
  readonly side: 'host';
  readonly path: string;
}

/** write the init's pid (before clone: own pid) to DIR/cgroup.procs */
export interface CgroupAttachOp {
  readonly op: 'cgroup_attach';
  readonly side: 'host';
  readonly dir: string;
}

/** kill every process in the cgroup DIR (cgroup.kill, else a loop over cgroup.procs) until empty, at most timeout_ms */
export interface CgroupKillOp {
  readonly op: 'cgroup_kill';
  readonly side: 'host';
  readonly dir: string;
  readonly timeoutMs: number;
}

/** attach a BPF_PROG_TYPE_CGROUP_DEVICE program (struct bpf_insn array) to the v2 directory DIR */
export interface CgroupDeviceOp {
  readonly op: 'cgroup_device';
  readonly side: 'host';
  readonly dir: string;
  readonly program: Uint8Array;
}

/** wait until the memory cgroup DIR runs out of memory or ends: v1 by an eventfd on memory.oom_control, v2 by inotify on memory.events and cgroup.events; at once when its oom_kill count is not SEEN; ETIMEDOUT after timeout_ms */
export interface OomWaitOp {
  readonly op: 'oom_wait';
  readonly side: 'host';
  readonly dir: string;
  readonly seen: number | bigint;
  readonly timeoutMs: number;
}

/** send a signal to a host pid whose start time (clock ticks) is still the given one, by a pidfd; ESRCH when it is gone */
export interface SignalOp {
  readonly op: 'signal';
  readonly side: 'host';
  readonly pid: number;
  readonly startTime: number | bigint;
  readonly signal: number;
}

/** send one netlink message (or batch) of PROTOCOL, require an ack for each; pid_offsets: byte offsets where the init's pid (u32) goes; ns: slot of a network namespace to do it in; flags: 1 reply wanted, 2 ignore EEXIST, 4 ignore ENODEV/ENOENT; link_offsets: byte offsets where the index goes that the interface named LINK has there; target_offsets: byte offsets where the descriptor goes that is in the slot TARGET */
export interface NetlinkOp {
  readonly op: 'netlink';
  readonly side: 'host' | 'init';
  readonly protocol: number;
  readonly message: Uint8Array;
  readonly pidOffsets?: Uint8Array | undefined;
  readonly ns?: number | undefined;
  readonly flags?: number | undefined;
  readonly link?: Uint8Array | undefined;
  readonly linkOffsets?: Uint8Array | undefined;
  readonly target?: number | undefined;
  readonly targetOffsets?: Uint8Array | undefined;
}

/** set the propagation (MS_* bits) of the host path, e.g. / to MS_REC|MS_SLAVE */
export interface PropagationOp {
  readonly op: 'propagation';
  readonly side: 'host' | 'init';
  readonly path: string;
  readonly flags?: number | bigint | undefined;
}

/** mount overlayfs at the host path TARGET by the new mount API (lowerdir+ each, first is uppermost; upper and work may be empty: read-only) */
export interface OverlayOp {
  readonly op: 'overlay';
  readonly side: 'host' | 'init';
  readonly target: string;
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly options?: readonly string[] | undefined;
  readonly attrs?: number | bigint | undefined;
}

/** a detached overlayfs into a slot, fields as in overlay; the ids of the lower layers, but for the first PLAIN ones, as the user namespace in the slot USERNS maps them (layers that are mounts of their own: since 6.15); none is needed where all are plain */
export interface OverlaySourceOp {
  readonly op: 'overlay_source';
  readonly side: 'host';
  readonly out: number;
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly userns?: number | undefined;
  readonly plain?: number | undefined;
  readonly attrs?: number | bigint | undefined;
  readonly options?: readonly string[] | undefined;
}

/** mount a new filesystem on TARGET below root; options are key=value or flags for fsconfig; attrs MOUNT_ATTR_*; create: 0 no, 1 directory; flags: 1 on EPERM/EBUSY of sysfs bind the host's instead, 2 with the mode of the directory that is there, 4 copy up what is there first; with root none TARGET is a host path; sb_flags: MS_* that only mount(2) can say; label: the LSM's, for its root directory */
export interface MountFsOp {
  readonly op: 'mount_fs';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly fstype: string;
  readonly source: string;
  readonly options?: readonly string[] | undefined;
  readonly attrs?: number | bigint | undefined;
  readonly propagation?: number | bigint | undefined;
  readonly create?: number | undefined;
  readonly flags?: number | undefined;
  readonly sbFlags?: number | bigint | undefined;
  readonly label?: string | undefined;
}

/** bind SOURCE (host path, or source slot) on TARGET below root; recursive: clone with AT_RECURSIVE; set/clear MOUNT_ATTR_*; rec_set/rec_clear the same for the whole tree; create: 0 no, 1 directory, 2 file, 3 as the source; flags: 1 source is created as a directory when missing, 2 do not follow a symlink as source, 4 a symlink as source is copied as one, 8 nor one as target, 16 userns holds for the whole tree, 32 the source must be a procfs; userns: slot for an idmapped mount; clear_unlocked: cleared too, but for what a user namespace may not clear; helper: slot of mount_helper, which opens what the init may not, and maps ids */
export interface MountBindOp {
  readonly op: 'mount_bind';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly source: string;
  readonly sourceFd?: number | undefined;
  readonly recursive?: number | undefined;
  readonly set?: number | bigint | undefined;
  readonly clear?: number | bigint | undefined;
  readonly recSet?: number | bigint | undefined;
  readonly recClear?: number | bigint | undefined;
  readonly propagation?: number | bigint | undefined;
  readonly create?: number | undefined;
  readonly flags?: number | undefined;
  readonly userns?: number | undefined;
  readonly clearUnlocked?: number | bigint | undefined;
  readonly helper?: number | undefined;
}

/** change attributes or propagation of the mount at TARGET below root */
export interface MountSetattrOp {
  readonly op: 'mount_setattr';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly set?: number | bigint | undefined;
  readonly clear?: number | bigint | undefined;
  readonly propagation?: number | bigint | undefined;
  readonly recursive?: number | undefined;
  readonly clearUnlocked?: number | bigint | undefined;
}

/** mount a tmpfs on TARGET below root and bind into it each DIR as NAME (pairs), read-only by attrs, with links (pairs name,target) for co-mounted names */
export interface MountCgroupV1Op {
  readonly op: 'mount_cgroup_v1';
  readonly side: 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly dirs: readonly string[];
  readonly links?: readonly string[] | undefined;
  readonly attrs?: number | bigint | undefined;
}

/** make the root slot's mount the root, detach the old one, chdir / */
export interface PivotRootOp {
  readonly op: 'pivot_root';
  readonly side: 'init';
  readonly root?: number | undefined;
}

/** fchdir and chroot to the slot (where pivot_root cannot be: initramfs, file sessions) */
export interface ChrootOp {
  readonly op: 'chroot';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
}

/** mount --move the root over / and chroot (no-pivot), once every whole procfs and sysfs outside of it is gone: they would let a user namespace mount one without masks */
export interface MoveRootOp {
  readonly op: 'move_root';
  readonly side: 'init';
  readonly root?: number | undefined;
}

/** unmount a host path (umount2 flags); EINVAL and ENOENT are fine with ignore=1 */
export interface UmountOp {
  readonly op: 'umount';
  readonly side: 'host' | 'init';
  readonly path: string;
  readonly flags?: number | undefined;
  readonly ignore?: number | undefined;
}

/** hide PATH (inside the new root): /dev/null over a file, an empty read-only tmpfs over a directory; missing is fine; the null device is verified by inode (1:3) */
export interface MaskPathOp {
  readonly op: 'mask_path';
  readonly side: 'init';
  readonly path: string;
}

/** make PATH (inside the new root) a read-only recursive bind of itself; missing is fine */
export interface ReadonlyPathOp {
  readonly op: 'readonly_path';
  readonly side: 'init';
  readonly path: string;
}

/** make a directory (and parents) below root */
export interface MkdirInOp {
  readonly op: 'mkdir_in';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** make a device, FIFO or socket node below root with exact mode and owner; an equal existing one is fine; in a user namespace (flags 1) bind one instead: of the host's, or one that the helper makes, then with owners as the host counts; flags 2: no link on the way to it */
export interface MknodInOp {
  readonly op: 'mknod_in';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly path: string;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
  readonly flags?: number | undefined;
  readonly helper?: number | undefined;
}

/** make a symbolic link below root; an existing entry stays, unless flags 1: it is replaced; flags 2: no link on the way to it */
export interface SymlinkInOp {
  readonly op: 'symlink_in';
  readonly side: 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly path: string;
  readonly flags?: number | undefined;
}

/** copy what is at TARGET below root into the empty host directory DEST (volume copy-up, owner and mode too); does nothing when DEST is not empty or TARGET is missing */
export interface CopyUpOp {
  readonly op: 'copy_up';
  readonly side: 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly dest: string;
}

/** a user namespace with these id maps (text as the kernel wants it), made by a child that ends at once; its descriptor into a slot */
export interface UsernsOp {
  readonly op: 'userns';
  readonly side: 'host';
  readonly out: number;
  readonly uids: string;
  readonly gids: string;
}

/** fork a helper that keeps the privileges of now; its socket into a slot. mount_bind asks it: it enters the init's mount namespace, opens a source, maps its ids; mknod_in asks for a device. It ends when the slot is closed on both sides */
export interface MountHelperOp {
  readonly op: 'mount_helper';
  readonly side: 'host';
  readonly out: number;
}

/** change the options of the filesystem that is mounted at TARGET below root */
export interface RemountFsOp {
  readonly op: 'remount_fs';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly target: string;
  readonly options: readonly string[];
}

/** a detached bind of SOURCE (host path) with these attributes into a slot; fields as in mount_bind */
export interface BindSourceOp {
  readonly op: 'bind_source';
  readonly side: 'host';
  readonly out: number;
  readonly source: string;
  readonly recursive?: number | undefined;
  readonly set?: number | bigint | undefined;
  readonly clear?: number | bigint | undefined;
  readonly recSet?: number | bigint | undefined;
  readonly recClear?: number | bigint | undefined;
  readonly propagation?: number | bigint | undefined;
  readonly flags?: number | undefined;
  readonly userns?: number | undefined;
}

/** put the detached mount of a slot on TARGET below root; create: 0 no, 3 as the source; flags 8 as in mount_bind */
export interface AttachOp {
  readonly op: 'attach';
  readonly side: 'host' | 'init';
  readonly fd: number;
  readonly root?: number | undefined;
  readonly target: string;
  readonly create?: number | undefined;
  readonly flags?: number | undefined;
}

/** detach the mount on TARGET below root; the last name is not followed */
export interface UmountInOp {
  readonly op: 'umount_in';
  readonly side: 'host' | 'init';
  readonly root?: number | undefined;
  readonly target: string;
}

/** where a descriptor 0-2 is the caller's null device, put the container's in its place */
export interface ReopenNullOp {
  readonly op: 'reopen_null';
  readonly side: 'init';
}

/** host name */
export interface SethostnameOp {
  readonly op: 'sethostname';
  readonly side: 'host' | 'init';
  readonly name: string;
}

/** NIS domain name */
export interface SetdomainnameOp {
  readonly op: 'setdomainname';
  readonly side: 'init';
  readonly name: string;
}

/** write a sysctl through a private procfs; the key with slashes */
export interface SysctlOp {
  readonly op: 'sysctl';
  readonly side: 'host' | 'init';
  readonly key: string;
  readonly value: string;
}

/** bring the loopback interface up */
export interface LoUpOp {
  readonly op: 'lo_up';
  readonly side: 'host' | 'init';
}

/** prlimit: resource number, soft and hard */
export interface RlimitOp {
  readonly op: 'rlimit';
  readonly side: 'host' | 'init';
  readonly resource: number;
  readonly soft: number | bigint;
  readonly hard: number | bigint;
}

/** write oom_score_adj of the init (on the host side before clone: its own, which the init inherits) */
export interface OomScoreAdjOp {
  readonly op: 'oom_score_adj';
  readonly side: 'host' | 'init';
  readonly value: number;
}

/** new session and process group */
export interface SetsidOp {
  readonly op: 'setsid';
  readonly side: 'init';
}

/** open a pty in the container's devpts (root slot, or / when none), bind it on /dev/console when console=1, hand the master to the monitor or to the console socket slot, make it the controlling terminal and fds 0-2 */
export interface TerminalOp {
  readonly op: 'terminal';
  readonly side: 'init';
  readonly root?: number | undefined;
  readonly consoleSocket?: number | undefined;
  readonly rows: number;
  readonly cols: number;
  readonly console?: number | undefined;
}

/** find the home directory of UID in /etc/passwd below the root, / without an entry: `exec` adds it to an environment */
export interface HomeOp {
  readonly op: 'home';
  readonly side: 'init';
  readonly uid: number;
}

/** file mode creation mask */
export interface UmaskOp {
  readonly op: 'umask';
  readonly side: 'init';
  readonly mask: number;
}

/** execution domain */
export interface PersonalityOp {
  readonly op: 'personality';
  readonly side: 'init';
  readonly persona: number | bigint;
}

/** drop from the bounding set every capability whose bit is not in KEEP */
export interface BoundingOp {
  readonly op: 'bounding';
  readonly side: 'init';
  readonly keep: number | bigint;
}

/** with keepcaps: setgroups, setresgid, setresuid; flags 1: keep the groups (no setgroups), 2: EPERM of setgroups is fine, where a user namespace denies it */
export interface SetUserOp {
  readonly op: 'set_user';
  readonly side: 'init';
  readonly uid: number;
  readonly gid: number;
  readonly groups?: Uint8Array | undefined;
  readonly flags?: number | undefined;
}

/** capability sets (64-bit masks) */
export interface CapsetOp {
  readonly op: 'capset';
  readonly side: 'init';
  readonly effective: number | bigint;
  readonly permitted: number | bigint;
  readonly inheritable: number | bigint;
}

/** clear the ambient set, then raise these */
export interface AmbientOp {
  readonly op: 'ambient';
  readonly side: 'init';
  readonly mask: number | bigint;
}

/** PR_SET_NO_NEW_PRIVS */
export interface NoNewPrivsOp {
  readonly op: 'no_new_privs';
  readonly side: 'init';
}

/** load a filter: SECCOMP_FILTER_FLAG_* and struct sock_filter array; listener: the host's connected socket slot, which the monitor sends the notify descriptor to with METADATA; pid_offsets: byte offsets (u32 each) in it of fields of 10 spaces, where the init's pid as the host counts goes in decimal */
export interface SeccompOp {
  readonly op: 'seccomp';
  readonly side: 'init';
  readonly flags?: number | undefined;
  readonly filter: Uint8Array;
  readonly listener?: number | undefined;
  readonly metadata?: Uint8Array | undefined;
  readonly pidOffsets?: Uint8Array | undefined;
}

/** load a filter that asks about every call; each is answered with 'go on' by a process of the host, which writes a line `ARCH NUMBER` (AUDIT_ARCH_* in hex, number in decimal) into the host's slot RECORD for each new one. The filter lets the two calls that hand the descriptor over pass: their fourth argument is PASS */
export interface LearnOp {
  readonly op: 'learn';
  readonly side: 'init';
  readonly filter: Uint8Array;
  readonly pass: number | bigint;
  readonly record: number;
}

/** chdir PATH, then verify that getcwd is inside the root (CVE-2024-21626); create: make it when missing; flags 1: EACCES leaves it to a later chdir, 2: do nothing unless an earlier one left it */
export interface ChdirOp {
  readonly op: 'chdir';
  readonly side: 'init';
  readonly path: string;
  readonly create?: number | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly flags?: number | undefined;
}

/** write an LSM label to /proc/self/attr/NAME through the private procfs (apparmor/exec, exec, keycreate) */
export interface LabelOp {
  readonly op: 'label';
  readonly side: 'init';
  readonly name: string;
  readonly value: string;
}

/** close every descriptor from FIRST on, and all of the program's own, but for those that wait_start, seccomp and the hand-over still need */
export interface CloseFdsOp {
  readonly op: 'close_fds';
  readonly side: 'init';
  readonly first: number;
}

/** die with the monitor: PR_SET_PDEATHSIG, and check that it still lives */
export interface PdeathsigOp {
  readonly op: 'pdeathsig';
  readonly side: 'init';
  readonly signal: number;
}

/** resolve FILE by PATH as execvp does; ENOENT/EACCES reported as runc words it; the result is what exec runs */
export interface LookupExecOp {
  readonly op: 'lookup_exec';
  readonly side: 'init';
  readonly file: string;
  readonly env: readonly string[];
}

/** report `created` and wait for START: through the control connection, or the FIFO slot */
export interface WaitStartOp {
  readonly op: 'wait_start';
  readonly side: 'init';
  readonly fifo?: number | undefined;
}

/** execve the looked-up file; ends the program of the init */
export interface ExecOp {
  readonly op: 'exec';
  readonly side: 'init';
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** join the session keyring of this name, or a new one; ENOSYS is fine; permissions: KEY_* bits that it gets besides its own */
export interface KeyringOp {
  readonly op: 'keyring';
  readonly side: 'init';
  readonly name: string;
  readonly permissions?: number | undefined;
}

/** sched_setattr: policy, nice, priority, flags, runtime, deadline, period (ns) */
export interface SchedulerOp {
  readonly op: 'scheduler';
  readonly side: 'init';
  readonly policy: number;
  readonly nice: number;
  readonly priority: number;
  readonly flags?: number | bigint | undefined;
  readonly runtime: number | bigint;
  readonly deadline: number | bigint;
  readonly period: number | bigint;
}

/** ioprio_set for itself: class << 13 | level */
export interface IoprioOp {
  readonly op: 'ioprio';
  readonly side: 'init';
  readonly value: number;
}

/** sched_setaffinity for itself (host: the init, once there is one): bit mask of CPUs, little endian; empty: all that the cpuset allows */
export interface AffinityOp {
  readonly op: 'affinity';
  readonly side: 'host' | 'init';
  readonly mask?: Uint8Array | undefined;
}

/** stay as pid 1: fork the rest of the program as a child, forward signals, reap (docker --init) */
export interface ReaperOp {
  readonly op: 'reaper';
  readonly side: 'init';
}

/** have criu (the program PATH) carry out REQUEST of its RPC (criu_req), after it has joined CGROUPS (cgroup.procs files); ACKNOWLEDGEMENT answers each of its notifications; FILES are open for it as descriptors from first_file on; console: socket that gets the master of the restored terminal, else the monitor gets it; behind `monitor` criu has the process's stdio as descriptors 0-2; status_fd gets a byte when lazy pages are served; env: instead of our own; a restored process becomes the init */
export interface CriuOp {
  readonly op: 'criu';
  readonly side: 'host';
  readonly path: string;
  readonly request: Uint8Array;
  readonly acknowledgement: Uint8Array;
  readonly cgroups?: readonly string[] | undefined;
  readonly files?: readonly string[] | undefined;
  readonly firstFile?: number | undefined;
  readonly console?: number | undefined;
  readonly statusFd?: number | undefined;
  readonly env?: readonly string[] | undefined;
}

/** run PATH with ARGS and ENV to its end, in the directory of the slot, with STATE as its stdin; pid_offsets: byte offsets (u32 each) in STATE of fields of 10 spaces, where the init's pid as the side sees it goes; killed with its process group after timeout_ms (0: never); NAME (`prestart hook #0`) is for the failure, which has its last words; flags 1: a failure is a warning on stderr, 2: HOME as `home` found it */
export interface HookOp {
  readonly op: 'hook';
  readonly side: 'host' | 'init';
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: readonly string[] | undefined;
  readonly state: Uint8Array;
  readonly pidOffsets?: Uint8Array | undefined;
  readonly timeoutMs?: number | undefined;
  readonly dir?: number | undefined;
  readonly flags?: number | undefined;
}

/** fork a process that runs the hooks of the host side from here on: the namespaces that this process joins are not theirs */
export interface HookRunnerOp {
  readonly op: 'hook_runner';
  readonly side: 'host';
}

/** let the process of a created container go: a byte into its FIFO at PATH, which is removed, and wait until it has executed or ended, at most timeout_ms */
export interface ReleaseOp {
  readonly op: 'release';
  readonly side: 'host';
  readonly path: string;
  readonly timeoutMs: number;
}

/** set_mempolicy: MODE with its flags, NODES as a bit mask, little endian */
export interface MempolicyOp {
  readonly op: 'mempolicy';
  readonly side: 'init';
  readonly mode: number;
  readonly nodes?: Uint8Array | undefined;
}

/** send a pidfd of the init, with NAME as data, over the connected socket in a slot (runc's --pidfd-socket) */
export interface SendPidfdOp {
  readonly op: 'send_pidfd';
  readonly side: 'host';
  readonly socket: number;
  readonly name: string;
}

/** become the monitor: DIR (0700) holds monitor.sock, pid, exit; stdio flags: 1 terminal, 2 stdin open, 4 stdin closes after the first attached client, 8 inherit fds 0-2 (no monitor stdio), 16 null stdio, 32 the terminal leaves newlines as they are (no ONLCR); log: path (empty: none), driver 0 json-file 1 cri, max_size bytes (0: unlimited), max_files; oom_file: what its line `oom_kill N` counts is told, and at exit how many */
export interface MonitorOp {
  readonly op: 'monitor';
  readonly side: 'host';
  readonly dir: string;
  readonly flags?: number | undefined;
  readonly logPath: string;
  readonly logDriver: number;
  readonly logMaxSize: number | bigint;
  readonly logMaxFiles: number;
  readonly oomFile: string;
}

/** wait for the init's exit and its output; write the exit file, report EXIT; the host operations after it are the cleanup, and a failure in them is reported but does not stop the rest; flags 1: signals that come meanwhile are the init's */
export interface ReapOp {
  readonly op: 'reap';
  readonly side: 'host';
  readonly flags?: number | undefined;
}

/** what the monitored process says on STREAMS (1 stdout, 2 stderr) goes into the FIFO PATH, too; fails (ETIMEDOUT) when nobody opens it to read within timeout_ms */
export interface OutputFifoOp {
  readonly op: 'output_fifo';
  readonly side: 'host';
  readonly streams: number;
  readonly path: string;
  readonly timeoutMs: number;
}

/** what the monitored process says on STREAMS (1 stdout, 2 stderr) is appended to the file PATH, which is made with its directories */
export interface OutputFileOp {
  readonly op: 'output_file';
  readonly side: 'host';
  readonly streams: number;
  readonly path: string;
}

/** stdin of the monitored process is what comes out of the FIFO PATH, too; it ends when its last writer leaves after STDIN_EOF */
export interface InputFifoOp {
  readonly op: 'input_fifo';
  readonly side: 'host';
  readonly path: string;
}

/** start a logging program, which reads stdout of the monitored process from descriptor 3, stderr from 4, and closes 5 when it is ready; else it fails (ETIMEDOUT) after timeout_ms */
export interface OutputProgramOp {
  readonly op: 'output_program';
  readonly side: 'host';
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly timeoutMs: number;
}

/** have an OCI runtime (the program PATH) make the monitored process: CREATE is run with its stdio, after which PID_FILE names it, and START runs on the frame START; an empty CREATE: START makes it, with its stdio. The runtime connects to CONSOLE (a socket's path, empty: none) with its terminal, and is killed after timeout_ms */
export interface OciRuntimeOp {
  readonly op: 'oci_runtime';
  readonly side: 'host';
  readonly path: string;
  readonly create: readonly string[];
  readonly start: readonly string[];
  readonly env: readonly string[];
  readonly pidFile: string;
  readonly console?: string | undefined;
  readonly timeoutMs: number;
}

/** become a file session: each FILE_OPS frame carries `file` operations, run in order below the root (after chroot); only failures and `file_sync` are answered */
export interface FilesOp {
  readonly op: 'files';
  readonly side: 'host';
}

/** connect to PORT of the loopback interface (127.0.0.1, else ::1) within timeout_ms and carry the connection: STDIN frames go there, STDIN_EOF half-closes it, what comes are STDOUT frames with an empty one at its end, or REPLY with the errno of its failure; until the client leaves */
export interface RelayPortOp {
  readonly op: 'relay_port';
  readonly side: 'host';
  readonly port: number;
  readonly timeoutMs: number;
}

/** command-line mode: report and exit, leaving the init to the nearest subreaper */
export interface DetachOp {
  readonly op: 'detach';
  readonly side: 'host';
}

/** make a directory, or take over an existing one (a non-directory in the way is removed); mode, owner, mtime (set when the session syncs) */
export interface FileDirOp {
  readonly op: 'file_dir';
  readonly side: 'file';
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number | bigint;
}

/** make a new regular file (whatever was there is removed first); SIZE bytes of `file_data` follow; flags 1: sparse (seek over zero blocks) */
export interface FileCreateOp {
  readonly op: 'file_create';
  readonly side: 'file';
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number | bigint;
  readonly size: number | bigint;
  readonly flags?: number | undefined;
}

/** next bytes of the file that is open */
export interface FileDataOp {
  readonly op: 'file_data';
  readonly side: 'file';
  readonly data: Uint8Array;
}

/** symbolic link; replaces what was there */
export interface FileSymlinkOp {
  readonly op: 'file_symlink';
  readonly side: 'file';
  readonly path: string;
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number | bigint;
}

/** hard link PATH to TARGET (resolved in the root, not followed) */
export interface FileLinkOp {
  readonly op: 'file_link';
  readonly side: 'file';
  readonly path: string;
  readonly target: string;
}

/** character, block device or FIFO */
export interface FileNodeOp {
  readonly op: 'file_node';
  readonly side: 'file';
  readonly path: string;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number | bigint;
}

/** remove recursively, without crossing mounts; missing is fine */
export interface FileRemoveOp {
  readonly op: 'file_remove';
  readonly side: 'file';
  readonly path: string;
}

/** remove every entry below the directory that this session did not itself make (opaque whiteout on a plain tree) */
export interface FileClearOp {
  readonly op: 'file_clear';
  readonly side: 'file';
  readonly path: string;
}

/** set an extended attribute without following */
export interface FileXattrOp {
  readonly op: 'file_xattr';
  readonly side: 'file';
  readonly path: string;
  readonly name: string;
  readonly value: Uint8Array;
}

/** apply delayed directory times, syncfs when sync=1, answer REPLY ok */
export interface FileSyncOp {
  readonly op: 'file_sync';
  readonly side: 'file';
  readonly sync: number;
}

/** answer DATA frames with the content of a regular file (non-regular: EINVAL, larger than LIMIT: EFBIG), following links inside the root, then REPLY */
export interface FileReadOp {
  readonly op: 'file_read';
  readonly side: 'file';
  readonly path: string;
  readonly limit: number | bigint;
}

/** answer one DATA frame: mode u32 uid u32 gid u32 size u64 mtime i64 rdev u64 ino u64 nlink u64, link target as the rest; then REPLY; follow: 1 to follow inside the root */
export interface FileStatOp {
  readonly op: 'file_stat';
  readonly side: 'file';
  readonly path: string;
  readonly follow?: number | undefined;
}

/** change mode and owner of an existing entry, not following */
export interface FileChmodOp {
  readonly op: 'file_chmod';
  readonly side: 'file';
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** answer DATA frames, each entries of `u8 type, u16 length, name`, for a directory; then REPLY */
export interface FileListOp {
  readonly op: 'file_list';
  readonly side: 'file';
  readonly path: string;
}

/** answer DATA frames with what is at PATH and all below it, parents first, each directory's names in byte order; a file that goes meanwhile is left out; then REPLY. Flags: 1 the content of regular files follows their entries, 2 go on across mounts. Records: entry `u8 1, u8 flags (1 content follows, 2 another name of a file that came), u16 path, u16 target, u16 attributes, u32 mode, u32 uid, u32 gid, u32 links, u32 major, u32 minor, u64 size, i64 mtime, u64 inode`, path below PATH, link target, attributes `u16 length, u32 length, name, value`; content `u8 2, u32 length, bytes`, as many as the size says: a file that shrinks meanwhile is filled up with zeros */
export interface FileWalkOp {
  readonly op: 'file_walk';
  readonly side: 'file';
  readonly path: string;
  readonly flags?: number | undefined;
}

/** the next SIZE bytes of the file that is open are a hole */
export interface FileHoleOp {
  readonly op: 'file_hole';
  readonly side: 'file';
  readonly size: number | bigint;
}

/** make the directory PATH (links followed inside the root) the root of every operation that follows; flags 1: a directory is never replaced by anything else (EISDIR), nor anything else by a directory (ENOTDIR); answer REPLY */
export interface FileEnterOp {
  readonly op: 'file_enter';
  readonly side: 'file';
  readonly path: string;
  readonly flags?: number | undefined;
}

export type Op =
  | OpenOp
  | CloseOp
  | ConnectUnixOp
  | UnshareOp
  | JoinOp
  | CloneOp
  | IdMapOp
  | TimeOffsetsOp
  | IdMapHelperOp
  | PidfdOpenOp
  | EndProcessOp
  | MkdirOp
  | WriteFileOp
  | RmdirOp
  | RemoveDirOp
  | UnlinkOp
  | CgroupAttachOp
  | CgroupKillOp
  | CgroupDeviceOp
  | OomWaitOp
  | SignalOp
  | NetlinkOp
  | PropagationOp
  | OverlayOp
  | OverlaySourceOp
  | MountFsOp
  | MountBindOp
  | MountSetattrOp
  | MountCgroupV1Op
  | PivotRootOp
  | ChrootOp
  | MoveRootOp
  | UmountOp
  | MaskPathOp
  | ReadonlyPathOp
  | MkdirInOp
  | MknodInOp
  | SymlinkInOp
  | CopyUpOp
  | UsernsOp
  | MountHelperOp
  | RemountFsOp
  | BindSourceOp
  | AttachOp
  | UmountInOp
  | ReopenNullOp
  | SethostnameOp
  | SetdomainnameOp
  | SysctlOp
  | LoUpOp
  | RlimitOp
  | OomScoreAdjOp
  | SetsidOp
  | TerminalOp
  | HomeOp
  | UmaskOp
  | PersonalityOp
  | BoundingOp
  | SetUserOp
  | CapsetOp
  | AmbientOp
  | NoNewPrivsOp
  | SeccompOp
  | LearnOp
  | ChdirOp
  | LabelOp
  | CloseFdsOp
  | PdeathsigOp
  | LookupExecOp
  | WaitStartOp
  | ExecOp
  | KeyringOp
  | SchedulerOp
  | IoprioOp
  | AffinityOp
  | ReaperOp
  | CriuOp
  | HookOp
  | HookRunnerOp
  | ReleaseOp
  | MempolicyOp
  | SendPidfdOp
  | MonitorOp
  | ReapOp
  | OutputFifoOp
  | OutputFileOp
  | InputFifoOp
  | OutputProgramOp
  | OciRuntimeOp
  | FilesOp
  | RelayPortOp
  | DetachOp
  | FileDirOp
  | FileCreateOp
  | FileDataOp
  | FileSymlinkOp
  | FileLinkOp
  | FileNodeOp
  | FileRemoveOp
  | FileClearOp
  | FileXattrOp
  | FileSyncOp
  | FileReadOp
  | FileStatOp
  | FileChmodOp
  | FileListOp
  | FileWalkOp
  | FileHoleOp
  | FileEnterOp;

export type OpFieldType = 'u32' | 'u64' | 'i32' | 'i64' | 'str' | 'bytes' | 'strs' | 'slot';
export interface OpDescription {
  readonly code: number;
  readonly fields: readonly (readonly [type: OpFieldType, name: string])[];
  /** The system calls of the operation, in order, as a regular expression: `[x y]` sometimes, `(x|y)` one of them, `x*` any number of times. */
  readonly calls: string;
}

export const opTable: Readonly<Record<Op['op'], OpDescription>> = {
  open: { code: 1, fields: [['slot', 'out'], ['slot', 'dir'], ['str', 'path'], ['u32', 'flags'], ['u32', 'mode']], calls: 'openat2' },
  close: { code: 2, fields: [['slot', 'fd']], calls: '[close]' },
  connect_unix: { code: 3, fields: [['slot', 'out'], ['str', 'path']], calls: 'socket connect' },
  unshare: { code: 10, fields: [['u64', 'flags']], calls: 'unshare [close]' },
  join: { code: 11, fields: [['slot', 'fd'], ['u64', 'flags']], calls: 'prctl setns [close]' },
  clone: { code: 12, fields: [['u64', 'flags'], ['slot', 'cgroup']], calls: 'socketpair clone3 close openat read close [close* getpid openat write close renameat]' },
  id_map: { code: 13, fields: [['u32', 'kind'], ['str', 'text']], calls: 'openat write close' },
  time_offsets: { code: 14, fields: [['str', 'text']], calls: 'openat write close' },
  id_map_helper: { code: 16, fields: [['str', 'helper'], ['strs', 'ids']], calls: 'pipe2 rt_sigprocmask clone [rt_sigprocmask] close read* close wait4' },
  pidfd_open: { code: 15, fields: [['slot', 'out'], ['u32', 'pid'], ['u64', 'startTime']], calls: 'pidfd_open [openat read close]' },
  end_process: { code: 105, fields: [['u32', 'pid'], ['u64', 'startTime'], ['u32', 'timeoutMs'], ['u32', 'flags']], calls: 'pidfd_open [openat read close] [poll [pidfd_send_signal poll] close]' },
  mkdir: { code: 20, fields: [['str', 'path'], ['u32', 'mode'], ['u32', 'owner'], ['strs', 'delegate']], calls: 'mkdir mkdir* [fchownat fchownat*]' },
  write_file: { code: 21, fields: [['str', 'path'], ['bytes', 'data'], ['u32', 'flags'], ['str', 'elsePath'], ['bytes', 'elseData']], calls: 'openat [write* close] [openat write* close]' },
  rmdir: { code: 22, fields: [['str', 'path'], ['u32', 'timeoutMs']], calls: 'unlinkat [openat [openat|newfstatat|fcntl|getdents64|unlinkat|close]* unlinkat [clock_nanosleep unlinkat]]*' },
  remove_dir: { code: 104, fields: [['str', 'path']], calls: 'openat [unlinkat [unlinkat [openat2 [openat|newfstatat|fcntl|getdents64|unlinkat|openat2|close]* unlinkat]] close]' },
  unlink: { code: 23, fields: [['str', 'path']], calls: 'unlink' },
  cgroup_attach: { code: 24, fields: [['str', 'dir']], calls: 'openat write close' },
  cgroup_kill: { code: 25, fields: [['str', 'dir'], ['u32', 'timeoutMs']], calls: 'openat [write close] (openat [openat|newfstatat|fcntl|getdents64|read|kill|close]* [clock_nanosleep])*' },
  cgroup_device: { code: 26, fields: [['str', 'dir'], ['bytes', 'program']], calls: 'openat bpf bpf close close' },
  oom_wait: { code: 28, fields: [['str', 'dir'], ['u64', 'seen'], ['u32', 'timeoutMs']], calls: 'openat (eventfd2 openat write close|inotify_init1 inotify_add_watch inotify_add_watch) [openat|read|poll|close]*' },
  signal: { code: 29, fields: [['u32', 'pid'], ['u64', 'startTime'], ['u32', 'signal']], calls: 'pidfd_open openat read close pidfd_send_signal close' },
  netlink: { code: 27, fields: [['u32', 'protocol'], ['bytes', 'message'], ['bytes', 'pidOffsets'], ['slot', 'ns'], ['u32', 'flags'], ['bytes', 'link'], ['bytes', 'linkOffsets'], ['slot', 'target'], ['bytes', 'targetOffsets']], calls: '[openat setns] [socket ioctl close] socket setsockopt sendto (recvfrom [sendmsg]*)* close [setns close]' },
  propagation: { code: 30, fields: [['str', 'path'], ['u64', 'flags']], calls: 'mount' },
  overlay: { code: 31, fields: [['str', 'target'], ['strs', 'lowers'], ['str', 'upper'], ['str', 'work'], ['strs', 'options'], ['u64', 'attrs']], calls: '(fsopen fsconfig* fsmount [fstatfs] move_mount close close|open_tree mount_setattr move_mount close|fsopen fsconfig* mount close)' },
  overlay_source: { code: 150, fields: [['slot', 'out'], ['strs', 'lowers'], ['str', 'upper'], ['str', 'work'], ['slot', 'userns'], ['u32', 'plain'], ['u64', 'attrs'], ['strs', 'options']], calls: '(fsopen [open_tree mount_setattr] [fsconfig|open_tree|mount_setattr|openat|close]* fsmount [fstatfs] close|open_tree mount_setattr [mount_setattr])' },
  mount_fs: { code: 32, fields: [['slot', 'root'], ['str', 'target'], ['str', 'fstype'], ['str', 'source'], ['strs', 'options'], ['u64', 'attrs'], ['u64', 'propagation'], ['u32', 'create'], ['u32', 'flags'], ['u64', 'sbFlags'], ['str', 'label']], calls: 'openat2 [openat2* [(mkdirat|openat close) openat close]* [close openat2]] [fstatfs [openat2 close]] [newfstatat] (fsopen fsconfig* fsmount close [openat fsetxattr close] [openat openat [newfstatat|openat|fcntl|getdents64|mkdirat|readlinkat|symlinkat|fchownat|utimensat|copy_file_range|sendfile|flistxattr|fgetxattr|fsetxattr|fchown|fchmod|close]*] [mount_setattr] move_mount|openat fchdir mount fchdir openat2 [mount_setattr] close) close*' },
  mount_bind: { code: 33, fields: [['slot', 'root'], ['str', 'target'], ['str', 'source'], ['slot', 'sourceFd'], ['u32', 'recursive'], ['u64', 'set'], ['u64', 'clear'], ['u64', 'recSet'], ['u64', 'recClear'], ['u64', 'propagation'], ['u32', 'create'], ['u32', 'flags'], ['slot', 'userns'], ['u64', 'clearUnlocked'], ['slot', 'helper']], calls: '[readlink] (open_tree [openat socketpair fork close recvmsg close wait4 close]|openat2 open_tree close|[open_tree] openat sendmsg recvmsg close) [mkdir* open_tree] newfstatat [fstatfs] [openat] openat2 [openat2* [(mkdirat|openat close) openat close]*] [fstatfs [openat2 close]] mount_setattr* move_mount close close' },
  mount_setattr: { code: 34, fields: [['slot', 'root'], ['str', 'target'], ['u64', 'set'], ['u64', 'clear'], ['u64', 'propagation'], ['u32', 'recursive'], ['u64', 'clearUnlocked']], calls: '[openat] openat2 mount_setattr* close' },
  mount_cgroup_v1: { code: 35, fields: [['slot', 'root'], ['str', 'target'], ['strs', 'dirs'], ['strs', 'links'], ['u64', 'attrs']], calls: 'openat2 [openat2* [(mkdirat|openat close) openat close]*] fstatfs [openat2 close] fsopen fsconfig* fsmount close move_mount (open_tree mkdirat openat move_mount close close)* symlinkat* [mount_setattr] close close' },
  pivot_root: { code: 36, fields: [['slot', 'root']], calls: 'openat [openat] [fsopen fsconfig fsmount close] fchdir pivot_root [close] fchdir mount umount2 fchdir chdir close' },
  chroot: { code: 37, fields: [['slot', 'root']], calls: '[openat] [fsopen fsconfig fsmount close] [openat] fchdir chroot chdir [close]' },
  move_root: { code: 38, fields: [['slot', 'root']], calls: '[fsopen fsconfig fsmount close] readlink openat newfstatat read* close (mount umount2 [mount])* fchdir mount chroot chdir [close]' },
  umount: { code: 39, fields: [['str', 'path'], ['u32', 'flags'], ['u32', 'ignore']], calls: 'umount2' },
  mask_path: { code: 40, fields: [['str', 'path']], calls: '[openat] openat2 [newfstatat ([open_tree] [fsopen fsconfig* fsmount close]|[openat newfstatat] open_tree newfstatat) move_mount [close] close]' },
  readonly_path: { code: 41, fields: [['str', 'path']], calls: '[openat] openat2 [open_tree mount_setattr move_mount close close]' },
  mkdir_in: { code: 42, fields: [['slot', 'root'], ['str', 'path'], ['u32', 'mode'], ['u32', 'uid'], ['u32', 'gid']], calls: '[openat] openat2 [openat2* [(mkdirat|openat close) openat close]*] newfstatat [fchownat] [fchmodat2] close' },
  mknod_in: { code: 43, fields: [['slot', 'root'], ['str', 'path'], ['u32', 'mode'], ['u32', 'major'], ['u32', 'minor'], ['u32', 'uid'], ['u32', 'gid'], ['u32', 'flags'], ['slot', 'helper']], calls: '[openat] openat2 [openat2* [(mkdirat|openat close) openat close]* [close openat2]] ([mknodat] (openat newfstatat open_tree|openat sendmsg recvmsg close) mknodat openat newfstatat [mount_setattr] move_mount close*|mknodat openat newfstatat [fchownat] [fchmodat2] close) close' },
  symlink_in: { code: 44, fields: [['slot', 'root'], ['str', 'target'], ['str', 'path'], ['u32', 'flags']], calls: '[openat] openat2 [openat2* [(mkdirat|openat close) openat close]* [close openat2]] symlinkat [unlinkat symlinkat] close' },
  copy_up: { code: 45, fields: [['slot', 'root'], ['str', 'target'], ['str', 'dest']], calls: 'openat2 [newfstatat [openat openat newfstatat fcntl fcntl getdents64* close [openat [newfstatat|openat|getdents64|fcntl|mkdirat|readlinkat|symlinkat|fchownat|utimensat|copy_file_range|sendfile|flistxattr|fgetxattr|fsetxattr|fchown|fchmod|close]*]]] close*' },
  userns: { code: 46, fields: [['slot', 'out'], ['str', 'uids'], ['str', 'gids']], calls: 'pipe2 clone3 close openat write close openat write close openat close wait4' },
  mount_helper: { code: 47, fields: [['slot', 'out']], calls: 'socketpair clone close' },
  remount_fs: { code: 48, fields: [['slot', 'root'], ['str', 'target'], ['strs', 'options']], calls: '[openat] openat2 fspick fsconfig* close close' },
  bind_source: { code: 49, fields: [['slot', 'out'], ['str', 'source'], ['u32', 'recursive'], ['u64', 'set'], ['u64', 'clear'], ['u64', 'recSet'], ['u64', 'recClear'], ['u64', 'propagation'], ['u32', 'flags'], ['slot', 'userns']], calls: 'open_tree mount_setattr*' },
  attach: { code: 50, fields: [['slot', 'fd'], ['slot', 'root'], ['str', 'target'], ['u32', 'create'], ['u32', 'flags']], calls: 'newfstatat openat2 [openat2* [(mkdirat|openat close) openat close]*] fstatfs [openat2 close] move_mount close' },
  umount_in: { code: 51, fields: [['slot', 'root'], ['str', 'target']], calls: '[openat] openat2 openat fchdir umount2 fchdir close close' },
  reopen_null: { code: 52, fields: [], calls: 'newfstatat [openat newfstatat] dup3* newfstatat [openat newfstatat] dup3* newfstatat [openat newfstatat] dup3* [close]' },
  sethostname: { code: 60, fields: [['str', 'name']], calls: 'sethostname' },
  setdomainname: { code: 61, fields: [['str', 'name']], calls: 'setdomainname' },
  sysctl: { code: 62, fields: [['str', 'key'], ['str', 'value']], calls: '[fsopen fsconfig fsmount close] openat2 write close' },
  lo_up: { code: 63, fields: [], calls: 'socket ioctl ioctl close' },
  rlimit: { code: 64, fields: [['u32', 'resource'], ['u64', 'soft'], ['u64', 'hard']], calls: 'prlimit64' },
  oom_score_adj: { code: 65, fields: [['i32', 'value']], calls: '[fsopen fsconfig fsmount close] (openat|openat2) [write close]' },
  setsid: { code: 66, fields: [], calls: 'setsid' },
  terminal: { code: 67, fields: [['slot', 'root'], ['slot', 'consoleSocket'], ['u32', 'rows'], ['u32', 'cols'], ['u32', 'console']], calls: '[openat] openat2 fstatfs newfstatat ioctl ioctl fstatfs newfstatat [ioctl] [openat2 mknodat openat newfstatat open_tree move_mount close close close] sendmsg ioctl dup2 dup2 dup2 close close' },
  home: { code: 93, fields: [['u32', 'uid']], calls: '[openat] openat2 [newfstatat read* close]' },
  umask: { code: 68, fields: [['u32', 'mask']], calls: 'umask' },
  personality: { code: 69, fields: [['u64', 'persona']], calls: 'personality' },
  bounding: { code: 70, fields: [['u64', 'keep']], calls: 'prctl*' },
  set_user: { code: 71, fields: [['u32', 'uid'], ['u32', 'gid'], ['bytes', 'groups'], ['u32', 'flags']], calls: '(newfstatat [fchown])* prctl [setgroups] setresgid setresuid prctl' },
  capset: { code: 72, fields: [['u64', 'effective'], ['u64', 'permitted'], ['u64', 'inheritable']], calls: 'capset' },
  ambient: { code: 73, fields: [['u64', 'mask']], calls: 'prctl prctl*' },
  no_new_privs: { code: 74, fields: [], calls: 'prctl' },
  seccomp: { code: 75, fields: [['u32', 'flags'], ['bytes', 'filter'], ['slot', 'listener'], ['bytes', 'metadata'], ['bytes', 'pidOffsets']], calls: '[sendmsg] seccomp [sendmsg close]' },
  learn: { code: 97, fields: [['bytes', 'filter'], ['u64', 'pass'], ['slot', 'record']], calls: '[sendmsg] seccomp sendmsg close' },
  chdir: { code: 76, fields: [['str', 'path'], ['u32', 'create'], ['u32', 'uid'], ['u32', 'gid'], ['u32', 'flags']], calls: '[[openat] openat2 [openat2 [openat2* [(mkdirat|openat close) openat close]*] [fchownat]] [fchdir getcwd close]]' },
  label: { code: 77, fields: [['str', 'name'], ['str', 'value']], calls: '[fsopen fsconfig fsmount close] openat2 write close' },
  close_fds: { code: 78, fields: [['u32', 'first']], calls: 'close* close_range close_range*' },
  pdeathsig: { code: 79, fields: [['u32', 'signal']], calls: 'prctl recvfrom' },
  lookup_exec: { code: 80, fields: [['str', 'file'], ['strs', 'env']], calls: '(newfstatat [faccessat2])*' },
  wait_start: { code: 81, fields: [['slot', 'fifo']], calls: 'sendmsg (recvmsg|read)' },
  exec: { code: 82, fields: [['strs', 'argv'], ['strs', 'env']], calls: '[umask] [sendmsg] execve' },
  keyring: { code: 83, fields: [['str', 'name'], ['u32', 'permissions']], calls: 'keyctl [keyctl keyctl]' },
  scheduler: { code: 84, fields: [['u32', 'policy'], ['i32', 'nice'], ['u32', 'priority'], ['u64', 'flags'], ['u64', 'runtime'], ['u64', 'deadline'], ['u64', 'period']], calls: 'sched_setattr' },
  ioprio: { code: 85, fields: [['u32', 'value']], calls: 'ioprio_set' },
  affinity: { code: 86, fields: [['bytes', 'mask']], calls: 'sched_setaffinity' },
  reaper: { code: 87, fields: [], calls: 'rt_sigprocmask clone [set_robust_list] setpgid ioctl [getpgid rt_sigprocmask ioctl rt_sigprocmask] rt_sigprocmask' },
  criu: { code: 118, fields: [['str', 'path'], ['bytes', 'request'], ['bytes', 'acknowledgement'], ['strs', 'cgroups'], ['strs', 'files'], ['u32', 'firstFile'], ['slot', 'console'], ['u32', 'statusFd'], ['strs', 'env']], calls: '([openat] dup2 close)* socketpair rt_sigprocmask clone3 rt_sigprocmask close (openat write close)* sendto (recvmsg|sendmsg|sendto|write|close)* close close* wait4 [pidfd_open openat read close]' },
  hook: { code: 88, fields: [['str', 'name'], ['str', 'path'], ['strs', 'args'], ['strs', 'env'], ['bytes', 'state'], ['bytes', 'pidOffsets'], ['u32', 'timeoutMs'], ['slot', 'dir'], ['u32', 'flags']], calls: '(memfd_create [getpid] write lseek memfd_create memfd_create prlimit64* umask rt_sigprocmask clone3 rt_sigprocmask umask pidfd_open poll close wait4 close close close|sendto recvfrom)' },
  hook_runner: { code: 90, fields: [], calls: 'socketpair clone [set_robust_list] close' },
  release: { code: 89, fields: [['str', 'path'], ['u32', 'timeoutMs']], calls: 'openat write poll* unlink close' },
  mempolicy: { code: 91, fields: [['u32', 'mode'], ['bytes', 'nodes']], calls: 'set_mempolicy' },
  send_pidfd: { code: 92, fields: [['slot', 'socket'], ['str', 'name']], calls: 'sendmsg' },
  monitor: { code: 100, fields: [['str', 'dir'], ['u32', 'flags'], ['str', 'logPath'], ['u32', 'logDriver'], ['u64', 'logMaxSize'], ['u32', 'logMaxFiles'], ['str', 'oomFile']], calls: 'setsid prctl mkdir mkdir* openat socket unlink umask bind umask listen (openat|pipe2 fcntl)* [openat openat newfstatat]' },
  reap: { code: 101, fields: [['u32', 'flags']], calls: 'rt_sigprocmask rt_sigaction* signalfd4 [openat eventfd2 openat write close close|inotify_init1 inotify_add_watch] read wait4 [poll|read|write|recvmsg|sendmsg|recvfrom|sendto|accept4|shutdown|fcntl|ioctl|pidfd_send_signal|openat|newfstatat|renameat|ftruncate|wait4|close]*' },
  output_fifo: { code: 160, fields: [['u32', 'streams'], ['str', 'path'], ['u32', 'timeoutMs']], calls: 'openat [rt_sigaction setitimer openat setitimer rt_sigaction] newfstatat openat close' },
  output_file: { code: 161, fields: [['u32', 'streams'], ['str', 'path']], calls: '[mkdir mkdir*] openat' },
  input_fifo: { code: 162, fields: [['str', 'path']], calls: 'openat newfstatat' },
  output_program: { code: 163, fields: [['strs', 'argv'], ['strs', 'env'], ['u32', 'timeoutMs']], calls: 'pipe2 pipe2 pipe2 fcntl fcntl fcntl umask rt_sigprocmask clone3 rt_sigprocmask umask close close close close close close poll close fcntl fcntl' },
  oci_runtime: { code: 164, fields: [['str', 'path'], ['strs', 'create'], ['strs', 'start'], ['strs', 'env'], ['str', 'pidFile'], ['str', 'console'], ['u32', 'timeoutMs']], calls: '[socket unlink umask bind umask listen] [umask rt_sigprocmask clone3 rt_sigprocmask umask pidfd_open poll close wait4 [accept4 recvmsg close close unlink]]' },
  files: { code: 102, fields: [], calls: 'openat [openat] sendmsg (recvfrom recvfrom)*' },
  relay_port: { code: 180, fields: [['u32', 'port'], ['u32', 'timeoutMs']], calls: '(socket setsockopt connect [setsockopt])* sendmsg fork [recvfrom|sendto|sendmsg|shutdown]*' },
  detach: { code: 103, fields: [], calls: 'recvmsg* sendmsg exit_group' },
  file_dir: { code: 120, fields: [['str', 'path'], ['u32', 'mode'], ['u32', 'uid'], ['u32', 'gid'], ['i64', 'mtime']], calls: '[close] [openat2] mkdirat newfstatat fchownat fchmodat2' },
  file_create: { code: 121, fields: [['str', 'path'], ['u32', 'mode'], ['u32', 'uid'], ['u32', 'gid'], ['i64', 'mtime'], ['u64', 'size'], ['u32', 'flags']], calls: '[close] [openat2] openat newfstatat [fchown] [[fchmod] utimensat close]' },
  file_data: { code: 122, fields: [['bytes', 'data']], calls: '[write|lseek]* [[fchmod] utimensat close]' },
  file_symlink: { code: 123, fields: [['str', 'path'], ['str', 'target'], ['u32', 'uid'], ['u32', 'gid'], ['i64', 'mtime']], calls: '[close] [openat2] newfstatat symlinkat newfstatat fchownat [utimensat]' },
  file_link: { code: 124, fields: [['str', 'path'], ['str', 'target']], calls: 'openat2 newfstatat [close] [openat2] newfstatat newfstatat linkat close' },
  file_node: { code: 125, fields: [['str', 'path'], ['u32', 'mode'], ['u32', 'major'], ['u32', 'minor'], ['u32', 'uid'], ['u32', 'gid'], ['i64', 'mtime']], calls: '[close] [openat2] newfstatat mknodat newfstatat fchownat fchmodat2 [utimensat]' },
  file_remove: { code: 126, fields: [['str', 'path']], calls: 'openat2 [close] [unlinkat|openat2|openat|newfstatat|fcntl|getdents64|close]* close' },
  file_clear: { code: 127, fields: [['str', 'path']], calls: 'openat2 [close] [openat newfstatat fcntl fcntl [getdents64|newfstatat|unlinkat|openat2|openat|fcntl|close]*] close' },
  file_xattr: { code: 128, fields: [['str', 'path'], ['str', 'name'], ['bytes', 'value']], calls: 'open [close] [openat2] fchdir lsetxattr fchdir close' },
  file_sync: { code: 129, fields: [['u32', 'sync']], calls: '[openat2 utimensat close]* [syncfs] sendmsg' },
  file_read: { code: 130, fields: [['str', 'path'], ['u64', 'limit']], calls: 'openat2 newfstatat openat (read sendmsg)* read close close sendmsg' },
  file_stat: { code: 131, fields: [['str', 'path'], ['u32', 'follow']], calls: '([close] [openat2]|openat2) newfstatat [readlinkat] sendmsg [close] sendmsg' },
  file_chmod: { code: 132, fields: [['str', 'path'], ['u32', 'mode'], ['u32', 'uid'], ['u32', 'gid']], calls: '[close] [openat2] newfstatat fchownat [fchmodat2]' },
  file_list: { code: 133, fields: [['str', 'path']], calls: 'openat2 openat newfstatat fcntl fcntl (getdents64 [sendmsg])* close close sendmsg' },
  file_walk: { code: 134, fields: [['str', 'path'], ['u32', 'flags']], calls: '[openat2] fchdir [newfstatat|llistxattr|lgetxattr|readlinkat|openat2|openat|read|getdents64|fcntl|fchdir|chdir|close|sendmsg]* close chdir sendmsg' },
  file_hole: { code: 135, fields: [['u64', 'size']], calls: 'lseek [ftruncate] [[fchmod] utimensat close]' },
  file_enter: { code: 155, fields: [['str', 'path'], ['u32', 'flags']], calls: '[close] openat2 openat close close sendmsg' },
};
