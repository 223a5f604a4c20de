/* What the parts of strake-init share: the program, the state of a run, the two processes' hand-over, and each part's door. */
#ifndef STRAKE_H
#define STRAKE_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "ops.gen.h"

/* docs/CONTRACTS.md, "Program encoding". */
#define PROGRAM_MAX_BYTES (4u << 20)
#define PROGRAM_MAX_OPS 4096u
#define PROGRAM_MAX_SLOTS 64u
#define PROGRAM_MAX_STRING (1u << 20)
#define PROGRAM_MAX_PATH 4095u
#define PROGRAM_MAX_STRINGS 65536u
#define NO_SLOT 0xffffffffu
#define NO_OP 0xffffffffu
#define DETAIL_MAX 4096
enum { PROGRAM_TRACE = 1, PROGRAM_DRY_RUN = 2 };

/* docs/CONTRACTS.md, "Connection protocol". */
enum frame_type {
	FRAME_STDIN = 0, FRAME_STDOUT = 1, FRAME_STDERR = 2, FRAME_PROGRAM = 16, FRAME_REPORT = 17, FRAME_START = 18,
	FRAME_EXIT = 19, FRAME_SIGNAL = 20, FRAME_RESIZE = 21, FRAME_ATTACH = 22, FRAME_STDIN_EOF = 23, FRAME_REPLY = 24,
	FRAME_WAIT = 25, FRAME_REOPEN_LOG = 26, FRAME_HAND_OVER = 27, FRAME_OOM = 28, FRAME_FILE_OPS = 32, FRAME_DATA = 33,
};
#define FRAME_MAX_BYTES PROGRAM_MAX_BYTES
enum report_phase { PHASE_CREATED = 0, PHASE_STARTED = 1 };
enum monitor_flags { MONITOR_TERMINAL = 1, MONITOR_STDIN = 2, MONITOR_STDIN_ONCE = 4, MONITOR_INHERIT = 8, MONITOR_NULL = 16, MONITOR_PLAIN_NEWLINES = 32 };

struct op {
	uint16_t code;
	uint8_t side;
	const struct op_desc *desc;
	union op_args args;
};

/* What went wrong: index NO_OP means nothing did. The detail names the object; it does not repeat the errno's text. */
struct failure {
	uint32_t index;
	int err;
	char detail[DETAIL_MAX];
};

struct monitor; /* monitor.c */

/* The state of one program. The init's is a copy made by clone: a descriptor that one side opens afterwards is not in the other's slots. */
struct run {
	int conn; /* control connection, -1 once closed */
	uint32_t flags; /* PROGRAM_* */
	struct op *ops;
	uint32_t nops;
	uint32_t reap; /* index of `reap`, nops when the program has none */
	uint32_t current; /* operation that runs now */
	bool has_wait_start; /* else the first report is that of execve */
	bool has_fifo; /* wait_start listens to a FIFO, not to START */
	bool has_detach;
	int slots[PROGRAM_MAX_SLOTS]; /* -1: free */
	struct failure failed;
	uint32_t cleanup_index; /* first failed operation after `reap`, NO_OP: none */
	int cleanup_err;
	uint64_t *ns; /* duration of each operation, shared by both processes; NULL without trace */

	/* both sides; each has its own end */
	int sync_fd; /* SOCK_SEQPACKET, -1 before clone and once the init has executed */
	bool in_init;

	/* host side */
	pid_t init_pid; /* 0 before clone and after it was reaped */
	pid_t report_pid; /* the same, never cleared: what reports name */
	uint64_t init_start; /* clock ticks, /proc/PID/stat field 22 */
	int init_pidfd; /* -1 before clone */
	bool exec_sent; /* the init said that it executes: the end of sync_fd now means that it did */
	int init_status; /* wait status, valid once init_reaped */
	bool init_reaped;
	int pty_master; /* from the init's `terminal`, -1: none */
	int self_fds; /* /proc/self/fd as it was before `chroot`, -1: none. A file session opens by it what it has looked at */
	struct monitor *monitor; /* NULL without `monitor` */
	int hook_runner; /* the socket of the process that runs the host side's hooks, -1: this one does */
	bool detached; /* the init was left to itself */

	/* host side, in the front of the command line (front.c) */
	pid_t decider; /* the child that sends the programs, 0: none */
	int decider_status; /* wait status, valid once decider_ended */
	bool decider_ended;
	bool handed_over; /* it needs to do no more: our exit status is the init's */

	/* init side */
	int proc_fd; /* private procfs, -1 until needed */
	int null_fd; /* verified null device for mask_path */
	int empty_fd; /* mount of the empty tmpfs on the first directory that mask_path hid */
	int root_dir; /* "/" as path operations without a root slot see it, -1 until needed */
	bool pivoted, umask_set;
	bool chdir_denied; /* the last chdir was, to somebody with other rights than the process will have */
	const char *exec_path; /* what lookup_exec found */
	const char *home; /* "HOME=…" as `home` found it, NULL: not asked for */
};

/* --- program.c ------------------------------------------------------------------------------------------------- */
/* Decodes a PROGRAM payload into run (ops, flags, reap, has_*). The operations point into DATA, which is changed in place and must
 * outlive the run. -1: run->failed says why (index of the operation, EINVAL, detail). */
int program_decode(uint8_t *data, size_t len, struct run *run);
/* Decodes one operation at DATA (changed in place); *used gets its size. SIDES is a mask 1 << SIDE_*. NULL, or a text of what is wrong. */
const char *op_decode(uint8_t *data, size_t len, unsigned sides, struct op *op, size_t *used);

/* --- run.c ----------------------------------------------------------------------------------------------------- */
/* Makes the state empty: no slots, nothing failed, CONN as control connection. */
void run_init(struct run *run, int conn);
/* Executes a decoded program to its end, reports included. Returns the exit status of the process: of the init when it was
 * reaped (128+n for a signal), 0 after detach or for a program without an init, 1 for a failure. */
int run_program(struct run *run);
/* Remembers the first failure of the run (the current operation, ERR, a text that names the object) and returns -1. */
__attribute__((format(printf, 3, 4))) int fail(struct run *run, int err, const char *fmt, ...);
/* Puts FD into a slot, in place of what was there. 0, or -1 after fail(), FD closed. */
int put_slot(struct run *run, uint32_t slot, int fd);
/* Kills (SIGKILL) and reaps the init when it still lives. */
void kill_init(struct run *run);
int exit_code(int status); /* of a wait status, as shells say it: 128+n for a signal */
uint64_t monotonic_ns(void);

/* Runs the operations between `exec` and what follows it (`reap`, `detach`), once the init has executed. 0, or -1 after fail(). */
int run_after_exec(struct run *run);

/* --- oom.c ------------------------------------------------------------------------------------------------------- */
/* The number after NAME in a cgroup's FILE; 0 without such a line, -1 when the cgroup is gone. */
int64_t cgroup_counter(const char *file, const char *name);
/* A non-blocking descriptor that becomes readable when the memory of FILE's cgroup (memory.oom_control or memory.events) runs out. -1: errno. */
int oom_watch(const char *file);

/* --- ops_exec.c ------------------------------------------------------------------------------------------------- */
/* What Go's execve says of an errno, which the users of runc know. */
const char *exec_error_text(int err);

/* --- spawn.c ------------------------------------------------------------------------------------------------------- */
#define SPAWN_DESCRIPTORS_MAX 4
struct spawn {
	const char *path;
	char *const *argv, *const *env;
	const int *directory;   /* where it runs (NULL: where we are) */
	const int *stdio;       /* its descriptors 0-2 (NULL: ours) */
	const int *descriptors; /* N more, from 3 on */
	int n;
};

/* Starts a program in a process group of its own with the default signals, and no descriptors but those. *PID gets its pid. 0 or an errno. */
int spawn_program(const struct spawn *spawn, pid_t *pid);

/* --- ops_home.c ------------------------------------------------------------------------------------------------- */
/* ENV, with the HOME that `home` has found, if it was asked to. Never freed: execve is next. NULL: out of memory. */
char *const *environment_with_home(const struct run *run, const struct op_strs *env);

/* --- sync.c: messages between monitor and init over sync_fd, one packet each ------------------------------------------ */
enum sync_kind {
	SYNC_GO = 1, /* both ways: go on at `index` */
	SYNC_CREATED, /* init → monitor: wait_start was reached (index) */
	SYNC_START, /* monitor → init: let wait_start go on */
	SYNC_PTY, /* init → monitor: the pty master, as SCM_RIGHTS */
	SYNC_EXEC, /* init → monitor: execve (or the seccomp filter before it) is next */
	SYNC_FAILED, /* init → monitor: index, err, detail */
	SYNC_LISTENER, /* init → monitor: the notify descriptor of the filter that `seccomp` or `learn` at index has loaded, as SCM_RIGHTS */
};
struct sync_msg {
	uint32_t kind;
	uint32_t index;
	int32_t err;
	char detail[DETAIL_MAX]; /* only as much as is used is sent, NUL included */
};
/* DATA, and FD with it by SCM_RIGHTS (-1: none). 0 or -1 (errno; EPIPE: the other side is gone). */
int send_descriptor(int socket, const void *data, size_t len, int fd);
/* One packet of at most LEN bytes, and the descriptor that came with it in *FD, or -1. Its size, 0 at the end, -1: errno. */
ssize_t receive_descriptor(int socket, void *data, size_t len, int *fd);
/* The same by a system call whose fourth argument, which the kernel does not read, is PASS: a seccomp filter knows it by that. */
int send_descriptor_passing(int socket, const void *data, size_t len, int fd, uint64_t pass);
/* The same over sync_fd. */
int sync_send(struct run *run, enum sync_kind kind, uint32_t index, int err, const char *detail, int fd);
/* Monitor side: takes the next packet and applies it to RUN: SYNC_PTY stores run->pty_master, SYNC_EXEC sets exec_sent, SYNC_LISTENER sends
 * the descriptor on to who asked for it, SYNC_FAILED fills run->failed. Returns its kind; 0 at the end (sync_fd is closed and -1 now: with exec_sent execve has succeeded or the init died at it,
 * without the init died during set-up and run->failed says so); -1 with errno (EAGAIN when sync_fd is non-blocking and empty). */
int sync_receive(struct run *run);
/* Init side: waits for a packet of KIND and takes its index as the current operation; exits when the monitor is gone. */
void sync_await(struct run *run, enum sync_kind kind);

/* --- pid_field.c -------------------------------------------------------------------------------------------------- */
#define PID_FIELD 10u /* digits of the largest pid_t */
/* Writes PID in decimal, right-aligned, into TEXT at each of OFFSETS (u32, little endian), where a field of PID_FIELD spaces is: a JSON number may
 * have spaces before it, so a state that is made before its process is complete afterwards. 0, or -1 (EINVAL): no such field. */
int fill_pid_fields(uint8_t *text, size_t len, const struct op_bytes *offsets, pid_t pid);

/* --- listener.c --------------------------------------------------------------------------------------------------- */
/* Monitor side: sends the notify descriptor FD with the container process state to the seccomp agent. 0, or -1 after fail(). */
int listener_hand_over(struct run *run, const struct op_seccomp *op, int fd);

/* --- learn.c ------------------------------------------------------------------------------------------------------ */
/* Monitor side: starts the process that answers for every call which comes over the notify descriptor FD. 0, or -1 after fail(). */
int learn_start(struct run *run, const struct op_learn *op, int fd);

/* --- seal.c ---------------------------------------------------------------------------------------------------- */
/* Re-executes the program from a sealed memfd, so that no container can write to its file (CVE-2019-5736). Returns when it already runs from one; -1 with errno. */
int seal_self(char *const argv[]);
bool is_sealed(void); /* whether the program already runs from one */

/* --- pages.c --------------------------------------------------------------------------------------------------- */
/* Gives back what was for the set-up alone: free memory, and the mapped pages of the program, of which those that are needed come back. */
void drop_pages(void);

/* --- front.c --------------------------------------------------------------------------------------------------- */
/* The command line `strake-runc`: starts the JavaScript that reads it, and runs its programs in this process. The exit status. */
int front_main(int argc, char *argv[]);

/* --- pause.c --------------------------------------------------------------------------------------------------- */
/* Waits for SIGTERM or SIGINT, and leaves no zombie. The exit status. */
int pause_main(void);

/* --- reaper.c -------------------------------------------------------------------------------------------------- */
/* `docker-init [--] PROGRAM [ARGUMENT...]`, from the first word behind the name: stays as the parent of it. The exit status, where it cannot be run. */
int reaper_main(char *argv[]);

/* --- prepared.c ------------------------------------------------------------------------------------------------ */
/* Runs the program that was prepared for this command line when the container was made. The exit status, or -1: there is none, or it did not succeed, and the
 * decider has to look at the command. */
int run_prepared(int argc, char *argv[]);

/* --- path.c: everything below a root slot ------------------------------------------------------------------------ */
enum create_kind { CREATE_NO = 0, CREATE_DIRECTORY = 1, CREATE_FILE = 2 };
/* Slot's descriptor, or the current root directory (opened once) for NO_SLOT; not the caller's to close. -1 after fail(). */
int root_fd(struct run *run, uint32_t slot);
/* O_PATH descriptor of PATH resolved below ROOT (RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|extra resolve flags); creates what is missing. -1: errno. */
int open_in_root(int root, const char *path, uint64_t flags, uint64_t resolve, enum create_kind create);
/* O_PATH descriptor of PATH's parent (made with its parents when CREATE; extra RESOLVE flags), and its last name in NAME[256]. -1: errno. */
int open_parent_in_root(int root, const char *path, uint64_t resolve, bool create, char *name);
int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
/* Makes PATH and its missing parents on the host. 0 or -1 (errno). */
int make_directories(const char *path, mode_t mode);
/* Opens NAME below the procfs of the run: the private one once the root is the container's. -1: errno. */
int open_proc(struct run *run, const char *name, int flags);
int open_private_proc(struct run *run);
/* A stream of the directory NAME in AT ("." for AT itself, also when it is an O_PATH descriptor), no link. NULL: errno. */
DIR *open_directory(int at, const char *name);
bool is_dots(const char *name); /* "." and ".." */
/* Writes all of it to FD, and closes FD. 0 or -1 (errno). */
int write_fd(int fd, const void *data, size_t len);
/* Start time of a process in clock ticks, 0 when it is gone. */
uint64_t process_start_time(pid_t pid);
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
#define autoclose __attribute__((cleanup(close_fd))) int

/* --- the operations, do_NAME: 0, or -1 after fail(). In ops_*.c, terminal.c, copyup.c; wait_start and detach in run.c, files in files.c.
 * clone: in the child it never returns.
 * monitor: directory, socket, stdio pipes, pid subreaper.
 * reap: the event loop (monitor.c). Watches sync_fd by sync_receive (answers CREATED and the end after SYNC_EXEC by report_send; START by
 * sync_send(SYNC_START)), the clients, the output, the init's pidfd. Returns when the init was reaped (init_reaped, init_status) and
 * its output is flushed, or -1 when run->failed was filled (set-up or execve failed; the driver then runs the cleanup and reports). Works
 * without `monitor` too: no clients then, only the control connection. */
#define DECLARE(CODE, name) int do_##name(struct run *, const struct op_##name *);
#define DECLARE_BARE(CODE, name) int do_##name(struct run *);
PROGRAM_OPS(DECLARE, DECLARE_BARE)
#undef DECLARE
#undef DECLARE_BARE
/* Runs the init's operations as the driver hands them over; never returns. */
_Noreturn void init_main(struct run *run);

/* --- conn.c ---------------------------------------------------------------------------------------------------- */
/* Reads one frame (blocking). *payload is malloc'ed, the caller frees it. 1: a frame, 0: end of the connection, -1: errno (EMSGSIZE: longer than MAX). */
int conn_read_frame(int fd, uint8_t *type, uint8_t **payload, uint32_t *len, uint32_t max);
/* Writes one frame completely (blocking, no SIGPIPE). 0 or -1. */
int conn_send(int fd, uint8_t type, const void *payload, uint32_t len);
/* Sends REPORT to the control connection (and to who sent START, when monitored): run->failed when its index is not NO_OP, else success. */
int report_send(struct run *run, enum report_phase phase);

/* --- stdio.c ----------------------------------------------------------------------------------------------------- */
/* In the init, first thing after clone, also without a monitor: puts stdio in place and drops every descriptor of the monitor's
 * (monitor.sock, its ends of the pipes). The connection and the sync end of the monitor are the driver's to close. */
void monitor_child_stdio(struct run *run);
/* In the host, around what makes a process with our descriptors 0-2: the init's stdio in place of ours, and the null device in place of that. 0 or -1. */
int monitor_lend_stdio(struct run *run);
void monitor_take_stdio_back(struct run *run);

/* --- monitor.c --------------------------------------------------------------------------------------------------- */
/* In the host, right after clone: closes the init's ends, writes the pid file. */
int monitor_after_clone(struct run *run);
/* After the cleanup: exit file, EXIT to the control connection and all clients (not when run->failed), closes everything. */
void monitor_finish(struct run *run);

/* --- zygote.c ------------------------------------------------------------------------------------------------------ */
int zygote_main(const char *socket_path);
#endif
