/* Made by tools/gen-ops.ts from native/ops.def; do not edit. */
#ifndef STRAKE_OPS_GEN_H
#define STRAKE_OPS_GEN_H
#include <stddef.h>
#include <stdint.h>

#define OPS_HASH "7a79cd8040679440"
#define DEFAULT_STATE_ROOT "/run/strake-runc"
#define OP_MAX_FIELDS 15
enum { SIDE_HOST = 0, SIDE_INIT = 1, SIDE_FILE = 2 };
enum op_type { T_U32, T_U64, T_I32, T_I64, T_STR, T_BYTES, T_STRS, T_SLOT };
struct op_bytes { const uint8_t *p; uint32_t len; };
struct op_strs { const char **v; uint32_t n; };
struct op_field { uint8_t type; uint16_t offset; };
struct op_desc { const char *name; uint16_t code; uint8_t sides; uint8_t nfields; struct op_field fields[OP_MAX_FIELDS]; };

enum op_code {
	OP_OPEN = 1,
	OP_CLOSE = 2,
	OP_CONNECT_UNIX = 3,
	OP_UNSHARE = 10,
	OP_JOIN = 11,
	OP_CLONE = 12,
	OP_ID_MAP = 13,
	OP_TIME_OFFSETS = 14,
	OP_ID_MAP_HELPER = 16,
	OP_PIDFD_OPEN = 15,
	OP_END_PROCESS = 105,
	OP_MKDIR = 20,
	OP_WRITE_FILE = 21,
	OP_RMDIR = 22,
	OP_REMOVE_DIR = 104,
	OP_UNLINK = 23,
	OP_CGROUP_ATTACH = 24,
	OP_CGROUP_KILL = 25,
	OP_CGROUP_DEVICE = 26,
	OP_OOM_WAIT = 28,
	OP_SIGNAL = 29,
	OP_NETLINK = 27,
	OP_PROPAGATION = 30,
	OP_OVERLAY = 31,
	OP_OVERLAY_SOURCE = 150,
	OP_MOUNT_FS = 32,
	OP_MOUNT_BIND = 33,
	OP_MOUNT_SETATTR = 34,
	OP_MOUNT_CGROUP_V1 = 35,
	OP_PIVOT_ROOT = 36,
	OP_CHROOT = 37,
	OP_MOVE_ROOT = 38,
	OP_UMOUNT = 39,
	OP_MASK_PATH = 40,
	OP_READONLY_PATH = 41,
	OP_MKDIR_IN = 42,
	OP_MKNOD_IN = 43,
	OP_SYMLINK_IN = 44,
	OP_COPY_UP = 45,
	OP_USERNS = 46,
	OP_MOUNT_HELPER = 47,
	OP_REMOUNT_FS = 48,
	OP_BIND_SOURCE = 49,
	OP_ATTACH = 50,
	OP_UMOUNT_IN = 51,
	OP_REOPEN_NULL = 52,
	OP_SETHOSTNAME = 60,
	OP_SETDOMAINNAME = 61,
	OP_SYSCTL = 62,
	OP_LO_UP = 63,
	OP_RLIMIT = 64,
	OP_OOM_SCORE_ADJ = 65,
	OP_SETSID = 66,
	OP_TERMINAL = 67,
	OP_HOME = 93,
	OP_UMASK = 68,
	OP_PERSONALITY = 69,
	OP_BOUNDING = 70,
	OP_SET_USER = 71,
	OP_CAPSET = 72,
	OP_AMBIENT = 73,
	OP_NO_NEW_PRIVS = 74,
	OP_SECCOMP = 75,
	OP_LEARN = 97,
	OP_CHDIR = 76,
	OP_LABEL = 77,
	OP_CLOSE_FDS = 78,
	OP_PDEATHSIG = 79,
	OP_LOOKUP_EXEC = 80,
	OP_WAIT_START = 81,
	OP_EXEC = 82,
	OP_KEYRING = 83,
	OP_SCHEDULER = 84,
	OP_IOPRIO = 85,
	OP_AFFINITY = 86,
	OP_REAPER = 87,
	OP_CRIU = 118,
	OP_HOOK = 88,
	OP_HOOK_RUNNER = 90,
	OP_RELEASE = 89,
	OP_MEMPOLICY = 91,
	OP_SEND_PIDFD = 92,
	OP_MONITOR = 100,
	OP_REAP = 101,
	OP_OUTPUT_FIFO = 160,
	OP_OUTPUT_FILE = 161,
	OP_INPUT_FIFO = 162,
	OP_OUTPUT_PROGRAM = 163,
	OP_OCI_RUNTIME = 164,
	OP_FILES = 102,
	OP_RELAY_PORT = 180,
	OP_DETACH = 103,
	OP_FILE_DIR = 120,
	OP_FILE_CREATE = 121,
	OP_FILE_DATA = 122,
	OP_FILE_SYMLINK = 123,
	OP_FILE_LINK = 124,
	OP_FILE_NODE = 125,
	OP_FILE_REMOVE = 126,
	OP_FILE_CLEAR = 127,
	OP_FILE_XATTR = 128,
	OP_FILE_SYNC = 129,
	OP_FILE_READ = 130,
	OP_FILE_STAT = 131,
	OP_FILE_CHMOD = 132,
	OP_FILE_LIST = 133,
	OP_FILE_WALK = 134,
	OP_FILE_HOLE = 135,
	OP_FILE_ENTER = 155,
};

/* open PATH into a slot; with dir, below that slot and resolved inside it (RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) */
struct op_open {
	uint32_t out;
	uint32_t dir;
	const char *path;
	uint32_t flags;
	uint32_t mode;
};
/* close a slot */
struct op_close {
	uint32_t fd;
};
/* connect a stream socket to PATH (@NAME: an abstract one) into a slot: console socket, seccomp agent */
struct op_connect_unix {
	uint32_t out;
	const char *path;
};
/* leave namespaces: CLONE_NEW* flags (time: host side, for children) */
struct op_unshare {
	uint64_t flags;
};
/* setns to the namespace (or pidfd) in a slot; host side affects children for pid */
struct op_join {
	uint32_t fd;
	uint64_t flags;
};
/* fork the init process into new namespaces (CLONE_NEW* flags); cgroup: slot of a v2 directory for CLONE_INTO_CGROUP */
struct op_clone {
	uint64_t flags;
	uint32_t cgroup;
};
/* write the init's id map: kind 0 uid_map, 1 gid_map, 2 setgroups; text as the kernel wants it */
struct op_id_map {
	uint32_t kind;
	const char *text;
};
/* write /proc/self/timens_offsets, after unshare of time, before anything has entered it */
struct op_time_offsets {
	const char *text;
};
/* write the init's id map by the setuid HELPER (newuidmap(1), newgidmap(1)): executed with the init's pid, then IDS (container id, host id, size, …); what it says on failure is the detail */
struct op_id_map_helper {
	const char *helper;
	struct op_strs ids;
};
/* open a pidfd of a host pid into a slot, and verify its start time (clock ticks, 0 = do not) against pid reuse */
struct op_pidfd_open {
	uint32_t out;
	uint32_t pid;
	uint64_t start_time;
};
/* make sure that a process (pid and start time in clock ticks) has ended: flags 1 kill it and wait at most timeout_ms, else EBUSY while it lives */
struct op_end_process {
	uint32_t pid;
	uint64_t start_time;
	uint32_t timeout_ms;
	uint32_t flags;
};
/* make a host directory and its missing parents; an existing one is fine; with an owner (not 0) the directory and those of its DELEGATE files that are there become that user's */
struct op_mkdir {
	const char *path;
	uint32_t mode;
	uint32_t owner;
	struct op_strs delegate;
};
/* write to an existing host file (cgroup, /proc, /sys); flags: 1 ignore ENOENT, 2 ignore any failure, 4 create/truncate (mode 0644), 8 a FIFO without a reader is an error (ENXIO), 16 each line by itself (with 2 all of them); ELSE_DATA goes to ELSE_PATH when PATH is missing */
struct op_write_file {
	const char *path;
	struct op_bytes data;
	uint32_t flags;
	const char *else_path;
	struct op_bytes else_data;
};
/* remove a host directory and its (cgroup) subdirectories, retrying EBUSY for at most timeout_ms; missing is fine */
struct op_rmdir {
	const char *path;
	uint32_t timeout_ms;
};
/* remove a host directory and everything below it, without crossing mounts; missing is fine */
struct op_remove_dir {
	const char *path;
};
/* remove a host file; missing is fine */
struct op_unlink {
	const char *path;
};
/* write the init's pid (before clone: own pid) to DIR/cgroup.procs */
struct op_cgroup_attach {
	const char *dir;
};
/* kill every process in the cgroup DIR (cgroup.kill, else a loop over cgroup.procs) until empty, at most timeout_ms */
struct op_cgroup_kill {
	const char *dir;
	uint32_t timeout_ms;
};
/* attach a BPF_PROG_TYPE_CGROUP_DEVICE program (struct bpf_insn array) to the v2 directory DIR */
struct op_cgroup_device {
	const char *dir;
	struct op_bytes program;
};
/* wait until the memory cgroup DIR runs out of memory or ends: v1 by an eventfd on memory.oom_control, v2 by inotify on memory.events and cgroup.events; at once when its oom_kill count is not SEEN; ETIMEDOUT after timeout_ms */
struct op_oom_wait {
	const char *dir;
	uint64_t seen;
	uint32_t timeout_ms;
};
/* send a signal to a host pid whose start time (clock ticks) is still the given one, by a pidfd; ESRCH when it is gone */
struct op_signal {
	uint32_t pid;
	uint64_t start_time;
	uint32_t signal;
};
/* send one netlink message (or batch) of PROTOCOL, require an ack for each; pid_offsets: byte offsets where the init's pid (u32) goes; ns: slot of a network namespace to do it in; flags: 1 reply wanted, 2 ignore EEXIST, 4 ignore ENODEV/ENOENT; link_offsets: byte offsets where the index goes that the interface named LINK has there; target_offsets: byte offsets where the descriptor goes that is in the slot TARGET */
struct op_netlink {
	uint32_t protocol;
	struct op_bytes message;
	struct op_bytes pid_offsets;
	uint32_t ns;
	uint32_t flags;
	struct op_bytes link;
	struct op_bytes link_offsets;
	uint32_t target;
	struct op_bytes target_offsets;
};
/* set the propagation (MS_* bits) of the host path, e.g. / to MS_REC|MS_SLAVE */
struct op_propagation {
	const char *path;
	uint64_t flags;
};
/* mount overlayfs at the host path TARGET by the new mount API (lowerdir+ each, first is uppermost; upper and work may be empty: read-only) */
struct op_overlay {
	const char *target;
	struct op_strs lowers;
	const char *upper;
	const char *work;
	struct op_strs options;
	uint64_t attrs;
};
/* a detached overlayfs into a slot, fields as in overlay; the ids of the lower layers, but for the first PLAIN ones, as the user namespace in the slot USERNS maps them (layers that are mounts of their own: since 6.15); none is needed where all are plain */
struct op_overlay_source {
	uint32_t out;
	struct op_strs lowers;
	const char *upper;
	const char *work;
	uint32_t userns;
	uint32_t plain;
	uint64_t attrs;
	struct op_strs options;
};
/* mount a new filesystem on TARGET below root; options are key=value or flags for fsconfig; attrs MOUNT_ATTR_*; create: 0 no, 1 directory; flags: 1 on EPERM/EBUSY of sysfs bind the host's instead, 2 with the mode of the directory that is there, 4 copy up what is there first; with root none TARGET is a host path; sb_flags: MS_* that only mount(2) can say; label: the LSM's, for its root directory */
struct op_mount_fs {
	uint32_t root;
	const char *target;
	const char *fstype;
	const char *source;
	struct op_strs options;
	uint64_t attrs;
	uint64_t propagation;
	uint32_t create;
	uint32_t flags;
	uint64_t sb_flags;
	const char *label;
};
/* bind SOURCE (host path, or source slot) on TARGET below root; recursive: clone with AT_RECURSIVE; set/clear MOUNT_ATTR_*; rec_set/rec_clear the same for the whole tree; create: 0 no, 1 directory, 2 file, 3 as the source; flags: 1 source is created as a directory when missing, 2 do not follow a symlink as source, 4 a symlink as source is copied as one, 8 nor one as target, 16 userns holds for the whole tree, 32 the source must be a procfs; userns: slot for an idmapped mount; clear_unlocked: cleared too, but for what a user namespace may not clear; helper: slot of mount_helper, which opens what the init may not, and maps ids */
struct op_mount_bind {
	uint32_t root;
	const char *target;
	const char *source;
	uint32_t source_fd;
	uint32_t recursive;
	uint64_t set;
	uint64_t clear;
	uint64_t rec_set;
	uint64_t rec_clear;
	uint64_t propagation;
	uint32_t create;
	uint32_t flags;
	uint32_t userns;
	uint64_t clear_unlocked;
	uint32_t helper;
};
/* change attributes or propagation of the mount at TARGET below root */
struct op_mount_setattr {
	uint32_t root;
	const char *target;
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint32_t recursive;
	uint64_t clear_unlocked;
};
/* mount a tmpfs on TARGET below root and bind into it each DIR as NAME (pairs), read-only by attrs, with links (pairs name,target) for co-mounted names */
struct op_mount_cgroup_v1 {
	uint32_t root;
	const char *target;
	struct op_strs dirs;
	struct op_strs links;
	uint64_t attrs;
};
/* make the root slot's mount the root, detach the old one, chdir / */
struct op_pivot_root {
	uint32_t root;
};
/* fchdir and chroot to the slot (where pivot_root cannot be: initramfs, file sessions) */
struct op_chroot {
	uint32_t root;
};
/* mount --move the root over / and chroot (no-pivot), once every whole procfs and sysfs outside of it is gone: they would let a user namespace mount one without masks */
struct op_move_root {
	uint32_t root;
};
/* unmount a host path (umount2 flags); EINVAL and ENOENT are fine with ignore=1 */
struct op_umount {
	const char *path;
	uint32_t flags;
	uint32_t ignore;
};
/* hide PATH (inside the new root): /dev/null over a file, an empty read-only tmpfs over a directory; missing is fine; the null device is verified by inode (1:3) */
struct op_mask_path {
	const char *path;
};
/* make PATH (inside the new root) a read-only recursive bind of itself; missing is fine */
struct op_readonly_path {
	const char *path;
};
/* make a directory (and parents) below root */
struct op_mkdir_in {
	uint32_t root;
	const char *path;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};
/* make a device, FIFO or socket node below root with exact mode and owner; an equal existing one is fine; in a user namespace (flags 1) bind one instead: of the host's, or one that the helper makes, then with owners as the host counts; flags 2: no link on the way to it */
struct op_mknod_in {
	uint32_t root;
	const char *path;
	uint32_t mode;
	uint32_t major;
	uint32_t minor;
	uint32_t uid;
	uint32_t gid;
	uint32_t flags;
	uint32_t helper;
};
/* make a symbolic link below root; an existing entry stays, unless flags 1: it is replaced; flags 2: no link on the way to it */
struct op_symlink_in {
	uint32_t root;
	const char *target;
	const char *path;
	uint32_t flags;
};
/* copy what is at TARGET below root into the empty host directory DEST (volume copy-up, owner and mode too); does nothing when DEST is not empty or TARGET is missing */
struct op_copy_up {
	uint32_t root;
	const char *target;
	const char *dest;
};
/* a user namespace with these id maps (text as the kernel wants it), made by a child that ends at once; its descriptor into a slot */
struct op_userns {
	uint32_t out;
	const char *uids;
	const char *gids;
};
/* fork a helper that keeps the privileges of now; its socket into a slot. mount_bind asks it: it enters the init's mount namespace, opens a source, maps its ids; mknod_in asks for a device. It ends when the slot is closed on both sides */
struct op_mount_helper {
	uint32_t out;
};
/* change the options of the filesystem that is mounted at TARGET below root */
struct op_remount_fs {
	uint32_t root;
	const char *target;
	struct op_strs options;
};
/* a detached bind of SOURCE (host path) with these attributes into a slot; fields as in mount_bind */
struct op_bind_source {
	uint32_t out;
	const char *source;
	uint32_t recursive;
	uint64_t set;
	uint64_t clear;
	uint64_t rec_set;
	uint64_t rec_clear;
	uint64_t propagation;
	uint32_t flags;
	uint32_t userns;
};
/* put the detached mount of a slot on TARGET below root; create: 0 no, 3 as the source; flags 8 as in mount_bind */
struct op_attach {
	uint32_t fd;
	uint32_t root;
	const char *target;
	uint32_t create;
	uint32_t flags;
};
/* detach the mount on TARGET below root; the last name is not followed */
struct op_umount_in {
	uint32_t root;
	const char *target;
};
/* host name */
struct op_sethostname {
	const char *name;
};
/* NIS domain name */
struct op_setdomainname {
	const char *name;
};
/* write a sysctl through a private procfs; the key with slashes */
struct op_sysctl {
	const char *key;
	const char *value;
};
/* prlimit: resource number, soft and hard */
struct op_rlimit {
	uint32_t resource;
	uint64_t soft;
	uint64_t hard;
};
/* write oom_score_adj of the init (on the host side before clone: its own, which the init inherits) */
struct op_oom_score_adj {
	int32_t value;
};
/* open a pty in the container's devpts (root slot, or / when none), bind it on /dev/console when console=1, hand the master to the monitor or to the console socket slot, make it the controlling terminal and fds 0-2 */
struct op_terminal {
	uint32_t root;
	uint32_t console_socket;
	uint32_t rows;
	uint32_t cols;
	uint32_t console;
};
/* find the home directory of UID in /etc/passwd below the root, / without an entry: `exec` adds it to an environment */
struct op_home {
	uint32_t uid;
};
/* file mode creation mask */
struct op_umask {
	uint32_t mask;
};
/* execution domain */
struct op_personality {
	uint64_t persona;
};
/* drop from the bounding set every capability whose bit is not in KEEP */
struct op_bounding {
	uint64_t keep;
};
/* with keepcaps: setgroups, setresgid, setresuid; flags 1: keep the groups (no setgroups), 2: EPERM of setgroups is fine, where a user namespace denies it */
struct op_set_user {
	uint32_t uid;
	uint32_t gid;
	struct op_bytes groups;
	uint32_t flags;
};
/* capability sets (64-bit masks) */
struct op_capset {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
};
/* clear the ambient set, then raise these */
struct op_ambient {
	uint64_t mask;
};
/* load a filter: SECCOMP_FILTER_FLAG_* and struct sock_filter array; listener: the host's connected socket slot, which the monitor sends the notify descriptor to with METADATA; pid_offsets: byte offsets (u32 each) in it of fields of 10 spaces, where the init's pid as the host counts goes in decimal */
struct op_seccomp {
	uint32_t flags;
	struct op_bytes filter;
	uint32_t listener;
	struct op_bytes metadata;
	struct op_bytes pid_offsets;
};
/* load a filter that asks about every call; each is answered with 'go on' by a process of the host, which writes a line `ARCH NUMBER` (AUDIT_ARCH_* in hex, number in decimal) into the host's slot RECORD for each new one. The filter lets the two calls that hand the descriptor over pass: their fourth argument is PASS */
struct op_learn {
	struct op_bytes filter;
	uint64_t pass;
	uint32_t record;
};
/* chdir PATH, then verify that getcwd is inside the root (CVE-2024-21626); create: make it when missing; flags 1: EACCES leaves it to a later chdir, 2: do nothing unless an earlier one left it */
struct op_chdir {
	const char *path;
	uint32_t create;
	uint32_t uid;
	uint32_t gid;
	uint32_t flags;
};
/* write an LSM label to /proc/self/attr/NAME through the private procfs (apparmor/exec, exec, keycreate) */
struct op_label {
	const char *name;
	const char *value;
};
/* close every descriptor from FIRST on, and all of the program's own, but for those that wait_start, seccomp and the hand-over still need */
struct op_close_fds {
	uint32_t first;
};
/* die with the monitor: PR_SET_PDEATHSIG, and check that it still lives */
struct op_pdeathsig {
	uint32_t signal;
};
/* resolve FILE by PATH as execvp does; ENOENT/EACCES reported as runc words it; the result is what exec runs */
struct op_lookup_exec {
	const char *file;
	struct op_strs env;
};
/* report `created` and wait for START: through the control connection, or the FIFO slot */
struct op_wait_start {
	uint32_t fifo;
};
/* execve the looked-up file; ends the program of the init */
struct op_exec {
	struct op_strs argv;
	struct op_strs env;
};
/* join the session keyring of this name, or a new one; ENOSYS is fine; permissions: KEY_* bits that it gets besides its own */
struct op_keyring {
	const char *name;
	uint32_t permissions;
};
/* sched_setattr: policy, nice, priority, flags, runtime, deadline, period (ns) */
struct op_scheduler {
	uint32_t policy;
	int32_t nice;
	uint32_t priority;
	uint64_t flags;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};
/* ioprio_set for itself: class << 13 | level */
struct op_ioprio {
	uint32_t value;
};
/* sched_setaffinity for itself (host: the init, once there is one): bit mask of CPUs, little endian; empty: all that the cpuset allows */
struct op_affinity {
	struct op_bytes mask;
};
/* have criu (the program PATH) carry out REQUEST of its RPC (criu_req), after it has joined CGROUPS (cgroup.procs files); ACKNOWLEDGEMENT answers each of its notifications; FILES are open for it as descriptors from first_file on; console: socket that gets the master of the restored terminal, else the monitor gets it; behind `monitor` criu has the process's stdio as descriptors 0-2; status_fd gets a byte when lazy pages are served; env: instead of our own; a restored process becomes the init */
struct op_criu {
	const char *path;
	struct op_bytes request;
	struct op_bytes acknowledgement;
	struct op_strs cgroups;
	struct op_strs files;
	uint32_t first_file;
	uint32_t console;
	uint32_t status_fd;
	struct op_strs env;
};
/* run PATH with ARGS and ENV to its end, in the directory of the slot, with STATE as its stdin; pid_offsets: byte offsets (u32 each) in STATE of fields of 10 spaces, where the init's pid as the side sees it goes; killed with its process group after timeout_ms (0: never); NAME (`prestart hook #0`) is for the failure, which has its last words; flags 1: a failure is a warning on stderr, 2: HOME as `home` found it */
struct op_hook {
	const char *name;
	const char *path;
	struct op_strs args;
	struct op_strs env;
	struct op_bytes state;
	struct op_bytes pid_offsets;
	uint32_t timeout_ms;
	uint32_t dir;
	uint32_t flags;
};
/* let the process of a created container go: a byte into its FIFO at PATH, which is removed, and wait until it has executed or ended, at most timeout_ms */
struct op_release {
	const char *path;
	uint32_t timeout_ms;
};
/* set_mempolicy: MODE with its flags, NODES as a bit mask, little endian */
struct op_mempolicy {
	uint32_t mode;
	struct op_bytes nodes;
};
/* send a pidfd of the init, with NAME as data, over the connected socket in a slot (runc's --pidfd-socket) */
struct op_send_pidfd {
	uint32_t socket;
	const char *name;
};
/* become the monitor: DIR (0700) holds monitor.sock, pid, exit; stdio flags: 1 terminal, 2 stdin open, 4 stdin closes after the first attached client, 8 inherit fds 0-2 (no monitor stdio), 16 null stdio, 32 the terminal leaves newlines as they are (no ONLCR); log: path (empty: none), driver 0 json-file 1 cri, max_size bytes (0: unlimited), max_files; oom_file: what its line `oom_kill N` counts is told, and at exit how many */
struct op_monitor {
	const char *dir;
	uint32_t flags;
	const char *log_path;
	uint32_t log_driver;
	uint64_t log_max_size;
	uint32_t log_max_files;
	const char *oom_file;
};
/* wait for the init's exit and its output; write the exit file, report EXIT; the host operations after it are the cleanup, and a failure in them is reported but does not stop the rest; flags 1: signals that come meanwhile are the init's */
struct op_reap {
	uint32_t flags;
};
/* what the monitored process says on STREAMS (1 stdout, 2 stderr) goes into the FIFO PATH, too; fails (ETIMEDOUT) when nobody opens it to read within timeout_ms */
struct op_output_fifo {
	uint32_t streams;
	const char *path;
	uint32_t timeout_ms;
};
/* what the monitored process says on STREAMS (1 stdout, 2 stderr) is appended to the file PATH, which is made with its directories */
struct op_output_file {
	uint32_t streams;
	const char *path;
};
/* stdin of the monitored process is what comes out of the FIFO PATH, too; it ends when its last writer leaves after STDIN_EOF */
struct op_input_fifo {
	const char *path;
};
/* start a logging program, which reads stdout of the monitored process from descriptor 3, stderr from 4, and closes 5 when it is ready; else it fails (ETIMEDOUT) after timeout_ms */
struct op_output_program {
	struct op_strs argv;
	struct op_strs env;
	uint32_t timeout_ms;
};
/* have an OCI runtime (the program PATH) make the monitored process: CREATE is run with its stdio, after which PID_FILE names it, and START runs on the frame START; an empty CREATE: START makes it, with its stdio. The runtime connects to CONSOLE (a socket's path, empty: none) with its terminal, and is killed after timeout_ms */
struct op_oci_runtime {
	const char *path;
	struct op_strs create;
	struct op_strs start;
	struct op_strs env;
	const char *pid_file;
	const char *console;
	uint32_t timeout_ms;
};
/* connect to PORT of the loopback interface (127.0.0.1, else ::1) within timeout_ms and carry the connection: STDIN frames go there, STDIN_EOF half-closes it, what comes are STDOUT frames with an empty one at its end, or REPLY with the errno of its failure; until the client leaves */
struct op_relay_port {
	uint32_t port;
	uint32_t timeout_ms;
};
/* make a directory, or take over an existing one (a non-directory in the way is removed); mode, owner, mtime (set when the session syncs) */
struct op_file_dir {
	const char *path;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
};
/* make a new regular file (whatever was there is removed first); SIZE bytes of `file_data` follow; flags 1: sparse (seek over zero blocks) */
struct op_file_create {
	const char *path;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint64_t size;
	uint32_t flags;
};
/* next bytes of the file that is open */
struct op_file_data {
	struct op_bytes data;
};
/* symbolic link; replaces what was there */
struct op_file_symlink {
	const char *path;
	const char *target;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
};
/* hard link PATH to TARGET (resolved in the root, not followed) */
struct op_file_link {
	const char *path;
	const char *target;
};
/* character, block device or FIFO */
struct op_file_node {
	const char *path;
	uint32_t mode;
	uint32_t major;
	uint32_t minor;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
};
/* remove recursively, without crossing mounts; missing is fine */
struct op_file_remove {
	const char *path;
};
/* remove every entry below the directory that this session did not itself make (opaque whiteout on a plain tree) */
struct op_file_clear {
	const char *path;
};
/* set an extended attribute without following */
struct op_file_xattr {
	const char *path;
	const char *name;
	struct op_bytes value;
};
/* apply delayed directory times, syncfs when sync=1, answer REPLY ok */
struct op_file_sync {
	uint32_t sync;
};
/* answer DATA frames with the content of a regular file (non-regular: EINVAL, larger than LIMIT: EFBIG), following links inside the root, then REPLY */
struct op_file_read {
	const char *path;
	uint64_t limit;
};
/* answer one DATA frame: mode u32 uid u32 gid u32 size u64 mtime i64 rdev u64 ino u64 nlink u64, link target as the rest; then REPLY; follow: 1 to follow inside the root */
struct op_file_stat {
	const char *path;
	uint32_t follow;
};
/* change mode and owner of an existing entry, not following */
struct op_file_chmod {
	const char *path;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};
/* answer DATA frames, each entries of `u8 type, u16 length, name`, for a directory; then REPLY */
struct op_file_list {
	const char *path;
};
/* answer DATA frames with what is at PATH and all below it, parents first, each directory's names in byte order; a file that goes meanwhile is left out; then REPLY. Flags: 1 the content of regular files follows their entries, 2 go on across mounts. Records: entry `u8 1, u8 flags (1 content follows, 2 another name of a file that came), u16 path, u16 target, u16 attributes, u32 mode, u32 uid, u32 gid, u32 links, u32 major, u32 minor, u64 size, i64 mtime, u64 inode`, path below PATH, link target, attributes `u16 length, u32 length, name, value`; content `u8 2, u32 length, bytes`, as many as the size says: a file that shrinks meanwhile is filled up with zeros */
struct op_file_walk {
	const char *path;
	uint32_t flags;
};
/* the next SIZE bytes of the file that is open are a hole */
struct op_file_hole {
	uint64_t size;
};
/* make the directory PATH (links followed inside the root) the root of every operation that follows; flags 1: a directory is never replaced by anything else (EISDIR), nor anything else by a directory (ENOTDIR); answer REPLY */
struct op_file_enter {
	const char *path;
	uint32_t flags;
};

union op_args {
	struct op_open open;
	struct op_close close;
	struct op_connect_unix connect_unix;
	struct op_unshare unshare;
	struct op_join join;
	struct op_clone clone;
	struct op_id_map id_map;
	struct op_time_offsets time_offsets;
	struct op_id_map_helper id_map_helper;
	struct op_pidfd_open pidfd_open;
	struct op_end_process end_process;
	struct op_mkdir mkdir;
	struct op_write_file write_file;
	struct op_rmdir rmdir;
	struct op_remove_dir remove_dir;
	struct op_unlink unlink;
	struct op_cgroup_attach cgroup_attach;
	struct op_cgroup_kill cgroup_kill;
	struct op_cgroup_device cgroup_device;
	struct op_oom_wait oom_wait;
	struct op_signal signal;
	struct op_netlink netlink;
	struct op_propagation propagation;
	struct op_overlay overlay;
	struct op_overlay_source overlay_source;
	struct op_mount_fs mount_fs;
	struct op_mount_bind mount_bind;
	struct op_mount_setattr mount_setattr;
	struct op_mount_cgroup_v1 mount_cgroup_v1;
	struct op_pivot_root pivot_root;
	struct op_chroot chroot;
	struct op_move_root move_root;
	struct op_umount umount;
	struct op_mask_path mask_path;
	struct op_readonly_path readonly_path;
	struct op_mkdir_in mkdir_in;
	struct op_mknod_in mknod_in;
	struct op_symlink_in symlink_in;
	struct op_copy_up copy_up;
	struct op_userns userns;
	struct op_mount_helper mount_helper;
	struct op_remount_fs remount_fs;
	struct op_bind_source bind_source;
	struct op_attach attach;
	struct op_umount_in umount_in;
	struct op_sethostname sethostname;
	struct op_setdomainname setdomainname;
	struct op_sysctl sysctl;
	struct op_rlimit rlimit;
	struct op_oom_score_adj oom_score_adj;
	struct op_terminal terminal;
	struct op_home home;
	struct op_umask umask;
	struct op_personality personality;
	struct op_bounding bounding;
	struct op_set_user set_user;
	struct op_capset capset;
	struct op_ambient ambient;
	struct op_seccomp seccomp;
	struct op_learn learn;
	struct op_chdir chdir;
	struct op_label label;
	struct op_close_fds close_fds;
	struct op_pdeathsig pdeathsig;
	struct op_lookup_exec lookup_exec;
	struct op_wait_start wait_start;
	struct op_exec exec;
	struct op_keyring keyring;
	struct op_scheduler scheduler;
	struct op_ioprio ioprio;
	struct op_affinity affinity;
	struct op_criu criu;
	struct op_hook hook;
	struct op_release release;
	struct op_mempolicy mempolicy;
	struct op_send_pidfd send_pidfd;
	struct op_monitor monitor;
	struct op_reap reap;
	struct op_output_fifo output_fifo;
	struct op_output_file output_file;
	struct op_input_fifo input_fifo;
	struct op_output_program output_program;
	struct op_oci_runtime oci_runtime;
	struct op_relay_port relay_port;
	struct op_file_dir file_dir;
	struct op_file_create file_create;
	struct op_file_data file_data;
	struct op_file_symlink file_symlink;
	struct op_file_link file_link;
	struct op_file_node file_node;
	struct op_file_remove file_remove;
	struct op_file_clear file_clear;
	struct op_file_xattr file_xattr;
	struct op_file_sync file_sync;
	struct op_file_read file_read;
	struct op_file_stat file_stat;
	struct op_file_chmod file_chmod;
	struct op_file_list file_list;
	struct op_file_walk file_walk;
	struct op_file_hole file_hole;
	struct op_file_enter file_enter;
};

/* For declarations and dispatch: the operations of programs, with fields and without, and those of file sessions. */
#define PROGRAM_OPS(OP, BARE) \
	OP(OPEN, open) \
	OP(CLOSE, close) \
	OP(CONNECT_UNIX, connect_unix) \
	OP(UNSHARE, unshare) \
	OP(JOIN, join) \
	OP(CLONE, clone) \
	OP(ID_MAP, id_map) \
	OP(TIME_OFFSETS, time_offsets) \
	OP(ID_MAP_HELPER, id_map_helper) \
	OP(PIDFD_OPEN, pidfd_open) \
	OP(END_PROCESS, end_process) \
	OP(MKDIR, mkdir) \
	OP(WRITE_FILE, write_file) \
	OP(RMDIR, rmdir) \
	OP(REMOVE_DIR, remove_dir) \
	OP(UNLINK, unlink) \
	OP(CGROUP_ATTACH, cgroup_attach) \
	OP(CGROUP_KILL, cgroup_kill) \
	OP(CGROUP_DEVICE, cgroup_device) \
	OP(OOM_WAIT, oom_wait) \
	OP(SIGNAL, signal) \
	OP(NETLINK, netlink) \
	OP(PROPAGATION, propagation) \
	OP(OVERLAY, overlay) \
	OP(OVERLAY_SOURCE, overlay_source) \
	OP(MOUNT_FS, mount_fs) \
	OP(MOUNT_BIND, mount_bind) \
	OP(MOUNT_SETATTR, mount_setattr) \
	OP(MOUNT_CGROUP_V1, mount_cgroup_v1) \
	OP(PIVOT_ROOT, pivot_root) \
	OP(CHROOT, chroot) \
	OP(MOVE_ROOT, move_root) \
	OP(UMOUNT, umount) \
	OP(MASK_PATH, mask_path) \
	OP(READONLY_PATH, readonly_path) \
	OP(MKDIR_IN, mkdir_in) \
	OP(MKNOD_IN, mknod_in) \
	OP(SYMLINK_IN, symlink_in) \
	OP(COPY_UP, copy_up) \
	OP(USERNS, userns) \
	OP(MOUNT_HELPER, mount_helper) \
	OP(REMOUNT_FS, remount_fs) \
	OP(BIND_SOURCE, bind_source) \
	OP(ATTACH, attach) \
	OP(UMOUNT_IN, umount_in) \
	BARE(REOPEN_NULL, reopen_null) \
	OP(SETHOSTNAME, sethostname) \
	OP(SETDOMAINNAME, setdomainname) \
	OP(SYSCTL, sysctl) \
	BARE(LO_UP, lo_up) \
	OP(RLIMIT, rlimit) \
	OP(OOM_SCORE_ADJ, oom_score_adj) \
	BARE(SETSID, setsid) \
	OP(TERMINAL, terminal) \
	OP(HOME, home) \
	OP(UMASK, umask) \
	OP(PERSONALITY, personality) \
	OP(BOUNDING, bounding) \
	OP(SET_USER, set_user) \
	OP(CAPSET, capset) \
	OP(AMBIENT, ambient) \
	BARE(NO_NEW_PRIVS, no_new_privs) \
	OP(SECCOMP, seccomp) \
	OP(LEARN, learn) \
	OP(CHDIR, chdir) \
	OP(LABEL, label) \
	OP(CLOSE_FDS, close_fds) \
	OP(PDEATHSIG, pdeathsig) \
	OP(LOOKUP_EXEC, lookup_exec) \
	OP(WAIT_START, wait_start) \
	OP(EXEC, exec) \
	OP(KEYRING, keyring) \
	OP(SCHEDULER, scheduler) \
	OP(IOPRIO, ioprio) \
	OP(AFFINITY, affinity) \
	BARE(REAPER, reaper) \
	OP(CRIU, criu) \
	OP(HOOK, hook) \
	BARE(HOOK_RUNNER, hook_runner) \
	OP(RELEASE, release) \
	OP(MEMPOLICY, mempolicy) \
	OP(SEND_PIDFD, send_pidfd) \
	OP(MONITOR, monitor) \
	OP(REAP, reap) \
	OP(OUTPUT_FIFO, output_fifo) \
	OP(OUTPUT_FILE, output_file) \
	OP(INPUT_FIFO, input_fifo) \
	OP(OUTPUT_PROGRAM, output_program) \
	OP(OCI_RUNTIME, oci_runtime) \
	BARE(FILES, files) \
	OP(RELAY_PORT, relay_port) \
	BARE(DETACH, detach)
#define FILE_OPS(OP) \
	OP(FILE_DIR, file_dir) \
	OP(FILE_CREATE, file_create) \
	OP(FILE_DATA, file_data) \
	OP(FILE_SYMLINK, file_symlink) \
	OP(FILE_LINK, file_link) \
	OP(FILE_NODE, file_node) \
	OP(FILE_REMOVE, file_remove) \
	OP(FILE_CLEAR, file_clear) \
	OP(FILE_XATTR, file_xattr) \
	OP(FILE_SYNC, file_sync) \
	OP(FILE_READ, file_read) \
	OP(FILE_STAT, file_stat) \
	OP(FILE_CHMOD, file_chmod) \
	OP(FILE_LIST, file_list) \
	OP(FILE_WALK, file_walk) \
	OP(FILE_HOLE, file_hole) \
	OP(FILE_ENTER, file_enter)

#ifdef OPS_TABLE
static const struct op_desc op_table[] = {
	{ "open", 1, 3, 5, { { T_SLOT, offsetof(struct op_open, out) }, { T_SLOT, offsetof(struct op_open, dir) }, { T_STR, offsetof(struct op_open, path) }, { T_U32, offsetof(struct op_open, flags) }, { T_U32, offsetof(struct op_open, mode) } } },
	{ "close", 2, 3, 1, { { T_SLOT, offsetof(struct op_close, fd) } } },
	{ "connect_unix", 3, 1, 2, { { T_SLOT, offsetof(struct op_connect_unix, out) }, { T_STR, offsetof(struct op_connect_unix, path) } } },
	{ "unshare", 10, 3, 1, { { T_U64, offsetof(struct op_unshare, flags) } } },
	{ "join", 11, 3, 2, { { T_SLOT, offsetof(struct op_join, fd) }, { T_U64, offsetof(struct op_join, flags) } } },
	{ "clone", 12, 1, 2, { { T_U64, offsetof(struct op_clone, flags) }, { T_SLOT, offsetof(struct op_clone, cgroup) } } },
	{ "id_map", 13, 1, 2, { { T_U32, offsetof(struct op_id_map, kind) }, { T_STR, offsetof(struct op_id_map, text) } } },
	{ "time_offsets", 14, 3, 1, { { T_STR, offsetof(struct op_time_offsets, text) } } },
	{ "id_map_helper", 16, 1, 2, { { T_STR, offsetof(struct op_id_map_helper, helper) }, { T_STRS, offsetof(struct op_id_map_helper, ids) } } },
	{ "pidfd_open", 15, 3, 3, { { T_SLOT, offsetof(struct op_pidfd_open, out) }, { T_U32, offsetof(struct op_pidfd_open, pid) }, { T_U64, offsetof(struct op_pidfd_open, start_time) } } },
	{ "end_process", 105, 1, 4, { { T_U32, offsetof(struct op_end_process, pid) }, { T_U64, offsetof(struct op_end_process, start_time) }, { T_U32, offsetof(struct op_end_process, timeout_ms) }, { T_U32, offsetof(struct op_end_process, flags) } } },
	{ "mkdir", 20, 3, 4, { { T_STR, offsetof(struct op_mkdir, path) }, { T_U32, offsetof(struct op_mkdir, mode) }, { T_U32, offsetof(struct op_mkdir, owner) }, { T_STRS, offsetof(struct op_mkdir, delegate) } } },
	{ "write_file", 21, 3, 5, { { T_STR, offsetof(struct op_write_file, path) }, { T_BYTES, offsetof(struct op_write_file, data) }, { T_U32, offsetof(struct op_write_file, flags) }, { T_STR, offsetof(struct op_write_file, else_path) }, { T_BYTES, offsetof(struct op_write_file, else_data) } } },
	{ "rmdir", 22, 1, 2, { { T_STR, offsetof(struct op_rmdir, path) }, { T_U32, offsetof(struct op_rmdir, timeout_ms) } } },
	{ "remove_dir", 104, 1, 1, { { T_STR, offsetof(struct op_remove_dir, path) } } },
	{ "unlink", 23, 1, 1, { { T_STR, offsetof(struct op_unlink, path) } } },
	{ "cgroup_attach", 24, 1, 1, { { T_STR, offsetof(struct op_cgroup_attach, dir) } } },
	{ "cgroup_kill", 25, 1, 2, { { T_STR, offsetof(struct op_cgroup_kill, dir) }, { T_U32, offsetof(struct op_cgroup_kill, timeout_ms) } } },
	{ "cgroup_device", 26, 1, 2, { { T_STR, offsetof(struct op_cgroup_device, dir) }, { T_BYTES, offsetof(struct op_cgroup_device, program) } } },
	{ "oom_wait", 28, 1, 3, { { T_STR, offsetof(struct op_oom_wait, dir) }, { T_U64, offsetof(struct op_oom_wait, seen) }, { T_U32, offsetof(struct op_oom_wait, timeout_ms) } } },
	{ "signal", 29, 1, 3, { { T_U32, offsetof(struct op_signal, pid) }, { T_U64, offsetof(struct op_signal, start_time) }, { T_U32, offsetof(struct op_signal, signal) } } },
	{ "netlink", 27, 3, 9, { { T_U32, offsetof(struct op_netlink, protocol) }, { T_BYTES, offsetof(struct op_netlink, message) }, { T_BYTES, offsetof(struct op_netlink, pid_offsets) }, { T_SLOT, offsetof(struct op_netlink, ns) }, { T_U32, offsetof(struct op_netlink, flags) }, { T_BYTES, offsetof(struct op_netlink, link) }, { T_BYTES, offsetof(struct op_netlink, link_offsets) }, { T_SLOT, offsetof(struct op_netlink, target) }, { T_BYTES, offsetof(struct op_netlink, target_offsets) } } },
	{ "propagation", 30, 3, 2, { { T_STR, offsetof(struct op_propagation, path) }, { T_U64, offsetof(struct op_propagation, flags) } } },
	{ "overlay", 31, 3, 6, { { T_STR, offsetof(struct op_overlay, target) }, { T_STRS, offsetof(struct op_overlay, lowers) }, { T_STR, offsetof(struct op_overlay, upper) }, { T_STR, offsetof(struct op_overlay, work) }, { T_STRS, offsetof(struct op_overlay, options) }, { T_U64, offsetof(struct op_overlay, attrs) } } },
	{ "overlay_source", 150, 1, 8, { { T_SLOT, offsetof(struct op_overlay_source, out) }, { T_STRS, offsetof(struct op_overlay_source, lowers) }, { T_STR, offsetof(struct op_overlay_source, upper) }, { T_STR, offsetof(struct op_overlay_source, work) }, { T_SLOT, offsetof(struct op_overlay_source, userns) }, { T_U32, offsetof(struct op_overlay_source, plain) }, { T_U64, offsetof(struct op_overlay_source, attrs) }, { T_STRS, offsetof(struct op_overlay_source, options) } } },
	{ "mount_fs", 32, 3, 11, { { T_SLOT, offsetof(struct op_mount_fs, root) }, { T_STR, offsetof(struct op_mount_fs, target) }, { T_STR, offsetof(struct op_mount_fs, fstype) }, { T_STR, offsetof(struct op_mount_fs, source) }, { T_STRS, offsetof(struct op_mount_fs, options) }, { T_U64, offsetof(struct op_mount_fs, attrs) }, { T_U64, offsetof(struct op_mount_fs, propagation) }, { T_U32, offsetof(struct op_mount_fs, create) }, { T_U32, offsetof(struct op_mount_fs, flags) }, { T_U64, offsetof(struct op_mount_fs, sb_flags) }, { T_STR, offsetof(struct op_mount_fs, label) } } },
	{ "mount_bind", 33, 3, 15, { { T_SLOT, offsetof(struct op_mount_bind, root) }, { T_STR, offsetof(struct op_mount_bind, target) }, { T_STR, offsetof(struct op_mount_bind, source) }, { T_SLOT, offsetof(struct op_mount_bind, source_fd) }, { T_U32, offsetof(struct op_mount_bind, recursive) }, { T_U64, offsetof(struct op_mount_bind, set) }, { T_U64, offsetof(struct op_mount_bind, clear) }, { T_U64, offsetof(struct op_mount_bind, rec_set) }, { T_U64, offsetof(struct op_mount_bind, rec_clear) }, { T_U64, offsetof(struct op_mount_bind, propagation) }, { T_U32, offsetof(struct op_mount_bind, create) }, { T_U32, offsetof(struct op_mount_bind, flags) }, { T_SLOT, offsetof(struct op_mount_bind, userns) }, { T_U64, offsetof(struct op_mount_bind, clear_unlocked) }, { T_SLOT, offsetof(struct op_mount_bind, helper) } } },
	{ "mount_setattr", 34, 3, 7, { { T_SLOT, offsetof(struct op_mount_setattr, root) }, { T_STR, offsetof(struct op_mount_setattr, target) }, { T_U64, offsetof(struct op_mount_setattr, set) }, { T_U64, offsetof(struct op_mount_setattr, clear) }, { T_U64, offsetof(struct op_mount_setattr, propagation) }, { T_U32, offsetof(struct op_mount_setattr, recursive) }, { T_U64, offsetof(struct op_mount_setattr, clear_unlocked) } } },
	{ "mount_cgroup_v1", 35, 2, 5, { { T_SLOT, offsetof(struct op_mount_cgroup_v1, root) }, { T_STR, offsetof(struct op_mount_cgroup_v1, target) }, { T_STRS, offsetof(struct op_mount_cgroup_v1, dirs) }, { T_STRS, offsetof(struct op_mount_cgroup_v1, links) }, { T_U64, offsetof(struct op_mount_cgroup_v1, attrs) } } },
	{ "pivot_root", 36, 2, 1, { { T_SLOT, offsetof(struct op_pivot_root, root) } } },
	{ "chroot", 37, 3, 1, { { T_SLOT, offsetof(struct op_chroot, root) } } },
	{ "move_root", 38, 2, 1, { { T_SLOT, offsetof(struct op_move_root, root) } } },
	{ "umount", 39, 3, 3, { { T_STR, offsetof(struct op_umount, path) }, { T_U32, offsetof(struct op_umount, flags) }, { T_U32, offsetof(struct op_umount, ignore) } } },
	{ "mask_path", 40, 2, 1, { { T_STR, offsetof(struct op_mask_path, path) } } },
	{ "readonly_path", 41, 2, 1, { { T_STR, offsetof(struct op_readonly_path, path) } } },
	{ "mkdir_in", 42, 3, 5, { { T_SLOT, offsetof(struct op_mkdir_in, root) }, { T_STR, offsetof(struct op_mkdir_in, path) }, { T_U32, offsetof(struct op_mkdir_in, mode) }, { T_U32, offsetof(struct op_mkdir_in, uid) }, { T_U32, offsetof(struct op_mkdir_in, gid) } } },
	{ "mknod_in", 43, 3, 9, { { T_SLOT, offsetof(struct op_mknod_in, root) }, { T_STR, offsetof(struct op_mknod_in, path) }, { T_U32, offsetof(struct op_mknod_in, mode) }, { T_U32, offsetof(struct op_mknod_in, major) }, { T_U32, offsetof(struct op_mknod_in, minor) }, { T_U32, offsetof(struct op_mknod_in, uid) }, { T_U32, offsetof(struct op_mknod_in, gid) }, { T_U32, offsetof(struct op_mknod_in, flags) }, { T_SLOT, offsetof(struct op_mknod_in, helper) } } },
	{ "symlink_in", 44, 2, 4, { { T_SLOT, offsetof(struct op_symlink_in, root) }, { T_STR, offsetof(struct op_symlink_in, target) }, { T_STR, offsetof(struct op_symlink_in, path) }, { T_U32, offsetof(struct op_symlink_in, flags) } } },
	{ "copy_up", 45, 2, 3, { { T_SLOT, offsetof(struct op_copy_up, root) }, { T_STR, offsetof(struct op_copy_up, target) }, { T_STR, offsetof(struct op_copy_up, dest) } } },
	{ "userns", 46, 1, 3, { { T_SLOT, offsetof(struct op_userns, out) }, { T_STR, offsetof(struct op_userns, uids) }, { T_STR, offsetof(struct op_userns, gids) } } },
	{ "mount_helper", 47, 1, 1, { { T_SLOT, offsetof(struct op_mount_helper, out) } } },
	{ "remount_fs", 48, 3, 3, { { T_SLOT, offsetof(struct op_remount_fs, root) }, { T_STR, offsetof(struct op_remount_fs, target) }, { T_STRS, offsetof(struct op_remount_fs, options) } } },
	{ "bind_source", 49, 1, 10, { { T_SLOT, offsetof(struct op_bind_source, out) }, { T_STR, offsetof(struct op_bind_source, source) }, { T_U32, offsetof(struct op_bind_source, recursive) }, { T_U64, offsetof(struct op_bind_source, set) }, { T_U64, offsetof(struct op_bind_source, clear) }, { T_U64, offsetof(struct op_bind_source, rec_set) }, { T_U64, offsetof(struct op_bind_source, rec_clear) }, { T_U64, offsetof(struct op_bind_source, propagation) }, { T_U32, offsetof(struct op_bind_source, flags) }, { T_SLOT, offsetof(struct op_bind_source, userns) } } },
	{ "attach", 50, 3, 5, { { T_SLOT, offsetof(struct op_attach, fd) }, { T_SLOT, offsetof(struct op_attach, root) }, { T_STR, offsetof(struct op_attach, target) }, { T_U32, offsetof(struct op_attach, create) }, { T_U32, offsetof(struct op_attach, flags) } } },
	{ "umount_in", 51, 3, 2, { { T_SLOT, offsetof(struct op_umount_in, root) }, { T_STR, offsetof(struct op_umount_in, target) } } },
	{ "reopen_null", 52, 2, 0, { { 0, 0 } } },
	{ "sethostname", 60, 3, 1, { { T_STR, offsetof(struct op_sethostname, name) } } },
	{ "setdomainname", 61, 2, 1, { { T_STR, offsetof(struct op_setdomainname, name) } } },
	{ "sysctl", 62, 3, 2, { { T_STR, offsetof(struct op_sysctl, key) }, { T_STR, offsetof(struct op_sysctl, value) } } },
	{ "lo_up", 63, 3, 0, { { 0, 0 } } },
	{ "rlimit", 64, 3, 3, { { T_U32, offsetof(struct op_rlimit, resource) }, { T_U64, offsetof(struct op_rlimit, soft) }, { T_U64, offsetof(struct op_rlimit, hard) } } },
	{ "oom_score_adj", 65, 3, 1, { { T_I32, offsetof(struct op_oom_score_adj, value) } } },
	{ "setsid", 66, 2, 0, { { 0, 0 } } },
	{ "terminal", 67, 2, 5, { { T_SLOT, offsetof(struct op_terminal, root) }, { T_SLOT, offsetof(struct op_terminal, console_socket) }, { T_U32, offsetof(struct op_terminal, rows) }, { T_U32, offsetof(struct op_terminal, cols) }, { T_U32, offsetof(struct op_terminal, console) } } },
	{ "home", 93, 2, 1, { { T_U32, offsetof(struct op_home, uid) } } },
	{ "umask", 68, 2, 1, { { T_U32, offsetof(struct op_umask, mask) } } },
	{ "personality", 69, 2, 1, { { T_U64, offsetof(struct op_personality, persona) } } },
	{ "bounding", 70, 2, 1, { { T_U64, offsetof(struct op_bounding, keep) } } },
	{ "set_user", 71, 2, 4, { { T_U32, offsetof(struct op_set_user, uid) }, { T_U32, offsetof(struct op_set_user, gid) }, { T_BYTES, offsetof(struct op_set_user, groups) }, { T_U32, offsetof(struct op_set_user, flags) } } },
	{ "capset", 72, 2, 3, { { T_U64, offsetof(struct op_capset, effective) }, { T_U64, offsetof(struct op_capset, permitted) }, { T_U64, offsetof(struct op_capset, inheritable) } } },
	{ "ambient", 73, 2, 1, { { T_U64, offsetof(struct op_ambient, mask) } } },
	{ "no_new_privs", 74, 2, 0, { { 0, 0 } } },
	{ "seccomp", 75, 2, 5, { { T_U32, offsetof(struct op_seccomp, flags) }, { T_BYTES, offsetof(struct op_seccomp, filter) }, { T_SLOT, offsetof(struct op_seccomp, listener) }, { T_BYTES, offsetof(struct op_seccomp, metadata) }, { T_BYTES, offsetof(struct op_seccomp, pid_offsets) } } },
	{ "learn", 97, 2, 3, { { T_BYTES, offsetof(struct op_learn, filter) }, { T_U64, offsetof(struct op_learn, pass) }, { T_SLOT, offsetof(struct op_learn, record) } } },
	{ "chdir", 76, 2, 5, { { T_STR, offsetof(struct op_chdir, path) }, { T_U32, offsetof(struct op_chdir, create) }, { T_U32, offsetof(struct op_chdir, uid) }, { T_U32, offsetof(struct op_chdir, gid) }, { T_U32, offsetof(struct op_chdir, flags) } } },
	{ "label", 77, 2, 2, { { T_STR, offsetof(struct op_label, name) }, { T_STR, offsetof(struct op_label, value) } } },
	{ "close_fds", 78, 2, 1, { { T_U32, offsetof(struct op_close_fds, first) } } },
	{ "pdeathsig", 79, 2, 1, { { T_U32, offsetof(struct op_pdeathsig, signal) } } },
	{ "lookup_exec", 80, 2, 2, { { T_STR, offsetof(struct op_lookup_exec, file) }, { T_STRS, offsetof(struct op_lookup_exec, env) } } },
	{ "wait_start", 81, 2, 1, { { T_SLOT, offsetof(struct op_wait_start, fifo) } } },
	{ "exec", 82, 2, 2, { { T_STRS, offsetof(struct op_exec, argv) }, { T_STRS, offsetof(struct op_exec, env) } } },
	{ "keyring", 83, 2, 2, { { T_STR, offsetof(struct op_keyring, name) }, { T_U32, offsetof(struct op_keyring, permissions) } } },
	{ "scheduler", 84, 2, 7, { { T_U32, offsetof(struct op_scheduler, policy) }, { T_I32, offsetof(struct op_scheduler, nice) }, { T_U32, offsetof(struct op_scheduler, priority) }, { T_U64, offsetof(struct op_scheduler, flags) }, { T_U64, offsetof(struct op_scheduler, runtime) }, { T_U64, offsetof(struct op_scheduler, deadline) }, { T_U64, offsetof(struct op_scheduler, period) } } },
	{ "ioprio", 85, 2, 1, { { T_U32, offsetof(struct op_ioprio, value) } } },
	{ "affinity", 86, 3, 1, { { T_BYTES, offsetof(struct op_affinity, mask) } } },
	{ "reaper", 87, 2, 0, { { 0, 0 } } },
	{ "criu", 118, 1, 9, { { T_STR, offsetof(struct op_criu, path) }, { T_BYTES, offsetof(struct op_criu, request) }, { T_BYTES, offsetof(struct op_criu, acknowledgement) }, { T_STRS, offsetof(struct op_criu, cgroups) }, { T_STRS, offsetof(struct op_criu, files) }, { T_U32, offsetof(struct op_criu, first_file) }, { T_SLOT, offsetof(struct op_criu, console) }, { T_U32, offsetof(struct op_criu, status_fd) }, { T_STRS, offsetof(struct op_criu, env) } } },
	{ "hook", 88, 3, 9, { { T_STR, offsetof(struct op_hook, name) }, { T_STR, offsetof(struct op_hook, path) }, { T_STRS, offsetof(struct op_hook, args) }, { T_STRS, offsetof(struct op_hook, env) }, { T_BYTES, offsetof(struct op_hook, state) }, { T_BYTES, offsetof(struct op_hook, pid_offsets) }, { T_U32, offsetof(struct op_hook, timeout_ms) }, { T_SLOT, offsetof(struct op_hook, dir) }, { T_U32, offsetof(struct op_hook, flags) } } },
	{ "hook_runner", 90, 1, 0, { { 0, 0 } } },
	{ "release", 89, 1, 2, { { T_STR, offsetof(struct op_release, path) }, { T_U32, offsetof(struct op_release, timeout_ms) } } },
	{ "mempolicy", 91, 2, 2, { { T_U32, offsetof(struct op_mempolicy, mode) }, { T_BYTES, offsetof(struct op_mempolicy, nodes) } } },
	{ "send_pidfd", 92, 1, 2, { { T_SLOT, offsetof(struct op_send_pidfd, socket) }, { T_STR, offsetof(struct op_send_pidfd, name) } } },
	{ "monitor", 100, 1, 7, { { T_STR, offsetof(struct op_monitor, dir) }, { T_U32, offsetof(struct op_monitor, flags) }, { T_STR, offsetof(struct op_monitor, log_path) }, { T_U32, offsetof(struct op_monitor, log_driver) }, { T_U64, offsetof(struct op_monitor, log_max_size) }, { T_U32, offsetof(struct op_monitor, log_max_files) }, { T_STR, offsetof(struct op_monitor, oom_file) } } },
	{ "reap", 101, 1, 1, { { T_U32, offsetof(struct op_reap, flags) } } },
	{ "output_fifo", 160, 1, 3, { { T_U32, offsetof(struct op_output_fifo, streams) }, { T_STR, offsetof(struct op_output_fifo, path) }, { T_U32, offsetof(struct op_output_fifo, timeout_ms) } } },
	{ "output_file", 161, 1, 2, { { T_U32, offsetof(struct op_output_file, streams) }, { T_STR, offsetof(struct op_output_file, path) } } },
	{ "input_fifo", 162, 1, 1, { { T_STR, offsetof(struct op_input_fifo, path) } } },
	{ "output_program", 163, 1, 3, { { T_STRS, offsetof(struct op_output_program, argv) }, { T_STRS, offsetof(struct op_output_program, env) }, { T_U32, offsetof(struct op_output_program, timeout_ms) } } },
	{ "oci_runtime", 164, 1, 7, { { T_STR, offsetof(struct op_oci_runtime, path) }, { T_STRS, offsetof(struct op_oci_runtime, create) }, { T_STRS, offsetof(struct op_oci_runtime, start) }, { T_STRS, offsetof(struct op_oci_runtime, env) }, { T_STR, offsetof(struct op_oci_runtime, pid_file) }, { T_STR, offsetof(struct op_oci_runtime, console) }, { T_U32, offsetof(struct op_oci_runtime, timeout_ms) } } },
	{ "files", 102, 1, 0, { { 0, 0 } } },
	{ "relay_port", 180, 1, 2, { { T_U32, offsetof(struct op_relay_port, port) }, { T_U32, offsetof(struct op_relay_port, timeout_ms) } } },
	{ "detach", 103, 1, 0, { { 0, 0 } } },
	{ "file_dir", 120, 4, 5, { { T_STR, offsetof(struct op_file_dir, path) }, { T_U32, offsetof(struct op_file_dir, mode) }, { T_U32, offsetof(struct op_file_dir, uid) }, { T_U32, offsetof(struct op_file_dir, gid) }, { T_I64, offsetof(struct op_file_dir, mtime) } } },
	{ "file_create", 121, 4, 7, { { T_STR, offsetof(struct op_file_create, path) }, { T_U32, offsetof(struct op_file_create, mode) }, { T_U32, offsetof(struct op_file_create, uid) }, { T_U32, offsetof(struct op_file_create, gid) }, { T_I64, offsetof(struct op_file_create, mtime) }, { T_U64, offsetof(struct op_file_create, size) }, { T_U32, offsetof(struct op_file_create, flags) } } },
	{ "file_data", 122, 4, 1, { { T_BYTES, offsetof(struct op_file_data, data) } } },
	{ "file_symlink", 123, 4, 5, { { T_STR, offsetof(struct op_file_symlink, path) }, { T_STR, offsetof(struct op_file_symlink, target) }, { T_U32, offsetof(struct op_file_symlink, uid) }, { T_U32, offsetof(struct op_file_symlink, gid) }, { T_I64, offsetof(struct op_file_symlink, mtime) } } },
	{ "file_link", 124, 4, 2, { { T_STR, offsetof(struct op_file_link, path) }, { T_STR, offsetof(struct op_file_link, target) } } },
	{ "file_node", 125, 4, 7, { { T_STR, offsetof(struct op_file_node, path) }, { T_U32, offsetof(struct op_file_node, mode) }, { T_U32, offsetof(struct op_file_node, major) }, { T_U32, offsetof(struct op_file_node, minor) }, { T_U32, offsetof(struct op_file_node, uid) }, { T_U32, offsetof(struct op_file_node, gid) }, { T_I64, offsetof(struct op_file_node, mtime) } } },
	{ "file_remove", 126, 4, 1, { { T_STR, offsetof(struct op_file_remove, path) } } },
	{ "file_clear", 127, 4, 1, { { T_STR, offsetof(struct op_file_clear, path) } } },
	{ "file_xattr", 128, 4, 3, { { T_STR, offsetof(struct op_file_xattr, path) }, { T_STR, offsetof(struct op_file_xattr, name) }, { T_BYTES, offsetof(struct op_file_xattr, value) } } },
	{ "file_sync", 129, 4, 1, { { T_U32, offsetof(struct op_file_sync, sync) } } },
	{ "file_read", 130, 4, 2, { { T_STR, offsetof(struct op_file_read, path) }, { T_U64, offsetof(struct op_file_read, limit) } } },
	{ "file_stat", 131, 4, 2, { { T_STR, offsetof(struct op_file_stat, path) }, { T_U32, offsetof(struct op_file_stat, follow) } } },
	{ "file_chmod", 132, 4, 4, { { T_STR, offsetof(struct op_file_chmod, path) }, { T_U32, offsetof(struct op_file_chmod, mode) }, { T_U32, offsetof(struct op_file_chmod, uid) }, { T_U32, offsetof(struct op_file_chmod, gid) } } },
	{ "file_list", 133, 4, 1, { { T_STR, offsetof(struct op_file_list, path) } } },
	{ "file_walk", 134, 4, 2, { { T_STR, offsetof(struct op_file_walk, path) }, { T_U32, offsetof(struct op_file_walk, flags) } } },
	{ "file_hole", 135, 4, 1, { { T_U64, offsetof(struct op_file_hole, size) } } },
	{ "file_enter", 155, 4, 2, { { T_STR, offsetof(struct op_file_enter, path) }, { T_U32, offsetof(struct op_file_enter, flags) } } },
};
#endif
#endif
