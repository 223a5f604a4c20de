/* Operations on processes and namespaces: clone, join, id maps, pidfds. */
#include "strake.h"

#include <fcntl.h>
#include <poll.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define MAX_NODES 1024 /* the kernel's largest MAX_NUMNODES */
#include <sys/wait.h>

_Noreturn static void become_init(struct run *run, int sync_fd)
{
	sigset_t none;

	run->in_init = true;
	run->init_pid = 0;
	close_fd(&run->root_dir); /* of the host's mount namespace, when the host side used it */
	close_fd(&run->hook_runner);
	run->sync_fd = sync_fd;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	monitor_child_stdio(run);
	close_fd(&run->conn);
	init_main(run);
}

int do_clone(struct run *run, const struct op_clone *op)
{
	struct clone_args args = { .flags = op->flags | CLONE_PIDFD, .exit_signal = SIGCHLD };
	int pidfd = -1, pair[2];
	long pid;

	if (op->cgroup != NO_SLOT) {
		if (run->slots[op->cgroup] < 0)
			return fail(run, EBADF, "cgroup slot %u is empty", op->cgroup);
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)run->slots[op->cgroup];
	}
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(run, errno, "sync socket");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		/* A directory of the host, in a process that others in a joined pid namespace see already. */
		if (op->cgroup != NO_SLOT)
			close_fd(&run->slots[op->cgroup]);
		close(pair[0]);
		become_init(run, pair[1]);
	}
	if (pid < 0) {
		int err = errno;

		close(pair[0]);
		close(pair[1]);
		return fail(run, err, "clone3 with flags 0x%llx", (unsigned long long)op->flags);
	}
	close(pair[1]);
	run->sync_fd = pair[0];
	run->init_pid = run->report_pid = (pid_t)pid;
	run->init_pidfd = pidfd;
	run->init_start = process_start_time((pid_t)pid);
	return monitor_after_clone(run);
}

int do_unshare(struct run *run, const struct op_unshare *op)
{
	if (unshare((int)op->flags) != 0)
		return fail(run, errno, "unshare of namespaces 0x%llx", (unsigned long long)op->flags);
	if (op->flags & CLONE_NEWNS)
		close_fd(&run->root_dir);
	return 0;
}

int do_join(struct run *run, const struct op_join *op)
{
	if (op->fd == NO_SLOT || run->slots[op->fd] < 0)
		return fail(run, EBADF, "namespace slot is empty");
	/* From here on processes of a container can see this one: they must not trace it or open its descriptors. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return fail(run, errno, "PR_SET_DUMPABLE");
	if (setns(run->slots[op->fd], (int)op->flags) != 0)
		return fail(run, errno, "join of namespaces 0x%llx", (unsigned long long)op->flags);
	/* /proc is the container's from here on. */
	if (op->flags == 0 || op->flags & CLONE_NEWNS) {
		close_fd(&run->root_dir);
		run->pivoted = run->in_init;
	}
	return 0;
}

/* Opens a file of the init's directory in /proc and writes TEXT to it. */
static int write_init_file(struct run *run, const char *name, const char *text)
{
	char path[64];

	if (run->init_pid == 0)
		return fail(run, ESRCH, "%s: there is no init yet", name);
	snprintf(path, sizeof(path), "/proc/%d/%s", run->init_pid, name);
	if (write_fd(open(path, O_WRONLY | O_CLOEXEC), text, strlen(text)) != 0)
		return fail(run, errno, "%s", path);
	return 0;
}

int do_id_map(struct run *run, const struct op_id_map *op)
{
	static const char *const names[] = { "uid_map", "gid_map", "setgroups" };

	if (op->kind >= sizeof(names) / sizeof(*names))
		return fail(run, EINVAL, "id map of kind %u", op->kind);
	return write_init_file(run, names[op->kind], op->text);
}

/* In the child: the helper's complaints go to OUTPUT, and it gets no descriptor of ours but that. */
_Noreturn static void execute_helper(const struct op_id_map_helper *op, pid_t init, int output)
{
	const char **argv = calloc((size_t)op->ids.n + 3, sizeof(*argv));
	char pid[16], *const env[] = { NULL };

	snprintf(pid, sizeof(pid), "%d", init);
	if (argv) {
		argv[0] = op->helper;
		argv[1] = pid;
		memcpy(argv + 2, op->ids.v, op->ids.n * sizeof(*argv));
		if (dup2(output, 1) == 1 && dup2(output, 2) == 2)
			execve(op->helper, (char *const *)(uintptr_t)argv, env);
	}
	dprintf(output, "%s", strerror(errno));
	_exit(127);
}

/* Reads TEXT to its end, as one line. */
static void read_line(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size && ((n = read(fd, text + len, size - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

int do_id_map_helper(struct run *run, const struct op_id_map_helper *op)
{
	int output[2], status = 0;
	char said[256];
	pid_t pid;

	if (run->init_pid == 0)
		return fail(run, ESRCH, "%s: there is no init yet", op->helper);
	if (pipe2(output, O_CLOEXEC) != 0)
		return fail(run, errno, "pipe for %s", op->helper);
	pid = fork();
	if (pid == 0)
		execute_helper(op, run->init_pid, output[1]);
	close(output[1]);
	if (pid < 0) {
		int err = errno;

		close(output[0]);
		return fail(run, err, "fork for %s", op->helper);
	}
	read_line(output[0], said, sizeof(said));
	close(output[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? 0 : fail(run, EPERM, "%s: %s", op->helper, said);
}

int do_time_offsets(struct run *run, const struct op_time_offsets *op)
{
	if (write_fd(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC), op->text, strlen(op->text)) != 0)
		return fail(run, errno, "/proc/self/timens_offsets");
	return 0;
}

int do_pidfd_open(struct run *run, const struct op_pidfd_open *op)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)op->pid, 0);

	if (fd < 0)
		return fail(run, errno, "process %u", op->pid);
	if (put_slot(run, op->out, fd) != 0)
		return -1;
	/* Read after the open: this pidfd is of the process whose start time it is, or that process is gone. */
	if (op->start_time != 0 && process_start_time((pid_t)op->pid) != op->start_time)
		return fail(run, ESRCH, "process %u is another one by now", op->pid);
	return 0;
}

#define END_KILL 1u

int do_end_process(struct run *run, const struct op_end_process *op)
{
	autoclose fd = (int)syscall(SYS_pidfd_open, (pid_t)op->pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	/* Its number may be another's by now, or a thread's (EINVAL, ENOENT since 6.9); one that nobody has waited for has ended too. */
	if ((fd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT)) || (fd >= 0 && process_start_time((pid_t)op->pid) != op->start_time))
		return 0;
	if (fd < 0)
		return fail(run, errno, "process %u", op->pid);
	if (poll(&end, 1, 0) == 1)
		return 0;
	if (!(op->flags & END_KILL))
		return fail(run, EBUSY, "process %u", op->pid);
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) != 0 && errno != ESRCH)
		return fail(run, errno, "SIGKILL to process %u", op->pid);
	return poll(&end, 1, (int)op->timeout_ms) == 1 ? 0 : fail(run, ETIMEDOUT, "end of process %u", op->pid);
}

int do_send_pidfd(struct run *run, const struct op_send_pidfd *op)
{
	if (op->socket == NO_SLOT || run->slots[op->socket] < 0)
		return fail(run, EBADF, "pidfd socket slot is empty");
	if (run->init_pidfd < 0)
		return fail(run, ESRCH, "there is no init yet");
	return send_descriptor(run->slots[op->socket], op->name, strlen(op->name), run->init_pidfd) == 0 ? 0 : fail(run, errno, "pidfd socket");
}

int do_rlimit(struct run *run, const struct op_rlimit *op)
{
	uint64_t limit[2] = { op->soft, op->hard };

	if (syscall(SYS_prlimit64, run->in_init ? 0 : run->init_pid, op->resource, limit, NULL) != 0)
		return fail(run, errno, "resource limit %u to %llu:%llu", op->resource, (unsigned long long)op->soft, (unsigned long long)op->hard);
	return 0;
}

int do_oom_score_adj(struct run *run, const struct op_oom_score_adj *op)
{
	char name[64] = "self/oom_score_adj", text[16];
	int len = snprintf(text, sizeof(text), "%d", op->value);

	if (!run->in_init && run->init_pid != 0)
		snprintf(name, sizeof(name), "%d/oom_score_adj", run->init_pid);
	return write_fd(open_proc(run, name, O_WRONLY), text, (size_t)len) == 0 ? 0 : fail(run, errno, "oom_score_adj %d", op->value);
}

int do_mempolicy(struct run *run, const struct op_mempolicy *op)
{
	/* The kernel takes one bit less than it is told of (mm/mempolicy.c, get_nodes), and reads words. */
	unsigned long nodes[MAX_NODES / (8 * sizeof(unsigned long))] = { 0 };

	if (op->nodes.len > sizeof(nodes))
		return fail(run, EINVAL, "memory policy nodes");
	memcpy(nodes, op->nodes.p, op->nodes.len);
	if (syscall(SYS_set_mempolicy, (int)op->mode, op->nodes.len ? nodes : NULL, op->nodes.len ? MAX_NODES + 1 : 0) != 0)
		return fail(run, errno, "memory policy 0x%x", op->mode);
	return 0;
}

#define MAX_CPUS 8192 /* the kernel's largest NR_CPUS */

int do_affinity(struct run *run, const struct op_affinity *op)
{
	uint8_t all[MAX_CPUS / 8];
	const uint8_t *mask = op->mask.len ? op->mask.p : all;

	memset(all, 0xff, sizeof(all));
	if (syscall(SYS_sched_setaffinity, run->in_init ? 0 : run->init_pid, op->mask.len ? op->mask.len : sizeof(all), mask) < 0)
		return fail(run, errno, "CPU affinity");
	return 0;
}
