/* Hooks: programs that run while a container is made, started or removed, each to its end (runtime-spec config.md, "POSIX-platform Hooks"). */
#include "strake.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define WORDS_MAX 1500 /* bytes of each stream in the text of a failure */
#define FAILURE_IS_WARNING 1u
#define WITH_HOME 2u
#define RUNNER_DESCRIPTORS 512

/* Files, not pipes: what a hook leaves running may write on, and nobody has to read. */
struct streams {
	int in, out, err;
};

static void close_streams(struct streams *s)
{
	close_fd(&s->in);
	close_fd(&s->out);
	close_fd(&s->err);
}

/* A file with the state in it, read from the start. -1: errno. */
static int state_file(const struct run *run, const struct op_hook *op)
{
	uint8_t *state = malloc(op->state.len + 1);
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (!state || fd < 0) {
		free(state);
		close_fd(&fd);
		return -1;
	}
	memcpy(state, op->state.p, op->state.len);
	if (fill_pid_fields(state, op->state.len, &op->pid_offsets, run->in_init ? getpid() : run->report_pid) != 0 ||
	    write(fd, state, op->state.len) != (ssize_t)op->state.len || lseek(fd, 0, SEEK_SET) != 0)
		close_fd(&fd);
	free(state);
	return fd;
}

/* 0 or an errno. */
static int start_hook(const struct run *run, const struct op_hook *op, const struct streams *s, pid_t *pid)
{
	const int stdio[3] = { s->in, s->out, s->err };
	char *const *env = op->flags & WITH_HOME ? environment_with_home(run, &op->env) : (char *const *)op->env.v;
	const struct spawn hook = { .path = op->path,
				    .argv = (char *const *)op->args.v,
				    .env = env,
				    .directory = op->dir == NO_SLOT ? NULL : &run->slots[op->dir],
				    .stdio = stdio };

	return env ? spawn_program(&hook, pid) : ENOMEM;
}

/* Waits for the end, at most as long as the hook may take: then its whole group is killed. *LATE says so. The wait status. */
static int await_hook(const struct op_hook *op, pid_t pid, bool *late)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = 0, n = 0;

	*late = false;
	while (end.fd >= 0 && n <= 0 && !*late) {
		uint64_t now = monotonic_ns();

		n = poll(&end, 1, op->timeout_ms == 0 ? -1 : now >= deadline ? 0 : (int)((deadline - now) / 1000000) + 1);
		*late = n == 0;
	}
	if (*late)
		kill(-pid, SIGKILL);
	close_fd(&end.fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The first of what was written to FD, as text. */
static void words(int fd, char text[WORDS_MAX + 1])
{
	ssize_t n = pread(fd, text, WORDS_MAX, 0);

	text[n > 0 ? n : 0] = '\0';
}

/* As Go words the end of a process. */
static void ending(int status, char *text, size_t size)
{
	if (!WIFSIGNALED(status)) {
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
		return;
	}
	snprintf(text, size, "signal: %s%s", strsignal(WTERMSIG(status)), WCOREDUMP(status) ? " (core dumped)" : "");
	text[8] = (char)tolower(text[8]);
}

static int run_hook(struct run *run, const struct op_hook *op, struct streams *s)
{
	char out[WORDS_MAX + 1], err_words[WORDS_MAX + 1], end[128];
	pid_t pid = 0;
	int err, status;
	bool late;

	s->in = state_file(run, op);
	s->out = memfd_create("stdout", MFD_CLOEXEC);
	s->err = memfd_create("stderr", MFD_CLOEXEC);
	if (s->in < 0 || s->out < 0 || s->err < 0)
		return fail(run, errno, "error running %s: stdio: %s", op->name, strerror(errno));
	err = start_hook(run, op, s, &pid);
	if (err != 0)
		return fail(run, err, "error running %s: fork/exec %s: %s", op->name, op->path, exec_error_text(err));
	status = await_hook(op, pid, &late);
	if (late)
		return fail(run, ETIMEDOUT, "error running %s: hook ran past specified timeout of %.1fs", op->name, op->timeout_ms / 1000.0);
	if (status == 0)
		return 0;
	words(s->out, out);
	words(s->err, err_words);
	ending(status, end, sizeof(end));
	return fail(run, ECANCELED, "error running %s: %s, stdout: %s, stderr: %s", op->name, end, out, err_words);
}

/* Which hook, for which init. */
struct order {
	uint32_t index;
	pid_t init;
};

struct outcome {
	int32_t err; /* 0: it ran */
	char detail[DETAIL_MAX];
};

/* Of all that the fork has copied only SOCKET and the slots stay: an end of the container's stdio that is open here would never end. */
static int keep_slots(struct run *run, int socket)
{
	for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
		if (run->slots[i] >= 0)
			run->slots[i] = fcntl(run->slots[i], F_DUPFD_CLOEXEC, RUNNER_DESCRIPTORS);
	socket = fcntl(socket, F_DUPFD_CLOEXEC, RUNNER_DESCRIPTORS);
	syscall(SYS_close_range, 3u, RUNNER_DESCRIPTORS - 1u, 0u);
	return socket;
}

/* The runner: one hook after the other, until the other end is closed. */
_Noreturn static void serve_hooks(struct run *run, int socket)
{
	struct outcome outcome;
	struct order order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	socket = keep_slots(run, socket);
	while (recv(socket, &order, sizeof(order), 0) == (ssize_t)sizeof(order) && order.index < run->nops && run->ops[order.index].code == OP_HOOK) {
		run->current = order.index;
		run->report_pid = order.init;
		run->failed.index = NO_OP;
		outcome.err = do_hook(run, &run->ops[order.index].args.hook) == 0 ? 0 : run->failed.err;
		memcpy(outcome.detail, run->failed.detail, sizeof(outcome.detail));
		if (send(socket, &outcome, sizeof(outcome), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

int do_hook_runner(struct run *run)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(run, errno, "hook runner");
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(pair[0]);
		close(pair[1]);
		return fail(run, err, "hook runner");
	}
	if (pid == 0) {
		serve_hooks(run, pair[1]);
	}
	close(pair[1]);
	run->hook_runner = pair[0];
	return 0;
}

static int order_hook(struct run *run)
{
	struct order order = { run->current, run->report_pid };
	struct outcome outcome;
	ssize_t n;

	if (send(run->hook_runner, &order, sizeof(order), MSG_NOSIGNAL) < 0)
		return fail(run, errno, "hook runner");
	do
		n = recv(run->hook_runner, &outcome, sizeof(outcome), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(outcome))
		return fail(run, n < 0 ? errno : EPIPE, "hook runner");
	outcome.detail[sizeof(outcome.detail) - 1] = '\0';
	return outcome.err == 0 ? 0 : fail(run, outcome.err, "%s", outcome.detail);
}

int do_hook(struct run *run, const struct op_hook *op)
{
	struct streams streams = { -1, -1, -1 };
	int result;

	if (!run->in_init && run->hook_runner >= 0)
		return order_hook(run);
	if (op->args.n == 0)
		return fail(run, EINVAL, "%s", op->name);
	if (op->dir != NO_SLOT && run->slots[op->dir] < 0)
		return fail(run, EBADF, "%s: directory slot %u is empty", op->name, op->dir);
	result = run_hook(run, op, &streams);
	close_streams(&streams);
	if (result == 0 || !(op->flags & FAILURE_IS_WARNING))
		return result;
	dprintf(2, "strake-runc: warning: %s\n", run->failed.detail);
	run->failed.index = NO_OP;
	return 0;
}

int do_release(struct run *run, const struct op_release *op)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	/* Non-blocking: ENXIO without a reader, which is a process that has ended since. */
	autoclose fifo = open(op->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd gone = { .fd = fifo, .events = 0 };

	if (fifo < 0 || write(fifo, "0", 1) != 1)
		return fail(run, errno, "start of the container: %s", op->path);
	/* The process closes its end by execve, or by its death: POLLERR. */
	while (!(gone.revents & POLLERR)) {
		uint64_t now = monotonic_ns();

		if (now >= deadline)
			return fail(run, ETIMEDOUT, "start of the container");
		poll(&gone, 1, (int)((deadline - now) / 1000000) + 1);
	}
	return unlink(op->path) == 0 || errno == ENOENT ? 0 : fail(run, errno, "%s", op->path);
}
