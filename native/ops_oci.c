/* A process that an OCI runtime makes (runc, crun, youki, runsc): the runtime's command makes it and ends, which leaves it to this process as
 * the nearest subreaper. */
#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PID_TEXT_MAX 32

/* The words of the runtime's command, started with the process's stdio. 0 or an errno. */
static int start_runtime(struct monitor *m, const struct op_strs *words)
{
	const struct op_oci_runtime *op = m->runtime;

	m->runtime_deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	return spawn_program(&(struct spawn){ .path = op->path, .argv = (char *const *)words->v, .env = (char *const *)op->env.v, .stdio = m->child },
			     &m->runtime_pid);
}

static void close_child_stdio(struct monitor *m)
{
	for (int i = 0; i < 3; i++)
		close_fd(&m->child[i]);
}

/* The terminal that the runtime has handed in: it has connected and sent before it ended. */
static int take_terminal(struct monitor *m)
{
	struct run *run = m->run;
	const char *path = m->runtime->console;
	char name[64];
	int connection, master = -1;

	if (m->console < 0)
		return 0;
	connection = accept4(m->console, NULL, NULL, SOCK_CLOEXEC);
	if (connection >= 0) {
		receive_descriptor(connection, name, sizeof(name), &master);
		close(connection);
	}
	close_fd(&m->console);
	unlink(path);
	if (master < 0)
		return fail(run, ENOTTY, "the runtime sent no terminal to %s", path);
	close_fd(&run->pty_master);
	run->pty_master = master;
	return 0;
}

/* The process that PID_FILE names, which is our child by now. */
static int take_process(struct monitor *m)
{
	struct run *run = m->run;
	const char *path = m->runtime->pid_file;
	char text[PID_TEXT_MAX + 1];
	autoclose fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, PID_TEXT_MAX);
	siginfo_t info;
	long pid;

	if (n < 0)
		return fail(run, errno, "%s", path);
	text[n] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid <= 1 || pid > INT32_MAX)
		return fail(run, EINVAL, "%s: no pid", path);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return fail(run, errno, "process %ld of the runtime", pid);
	run->init_start = process_start_time((pid_t)pid);
	run->init_pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (run->init_pidfd < 0)
		return fail(run, errno, "process %ld of the runtime", pid);
	run->init_pid = run->report_pid = (pid_t)pid;
	return monitor_after_clone(run);
}

/* What the runtime said of its failure is in the log that its words name. */
static int runtime_failed(struct run *run, int status)
{
	if (WIFSIGNALED(status))
		return fail(run, ECANCELED, "the runtime was ended by signal %d", WTERMSIG(status));
	return fail(run, ECANCELED, "the runtime ended with exit status %d", WEXITSTATUS(status));
}

/* Waits for the end of `create`, which nothing of the process can need us for: it does not run yet. */
static int await_creation(struct monitor *m)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, m->runtime_pid, 0), .events = POLLIN };
	int n, status = 0;

	if (end.fd < 0)
		return fail(m->run, errno, "the runtime's process");
	do
		n = poll(&end, 1, (int)m->runtime->timeout_ms);
	while (n < 0 && errno == EINTR);
	close(end.fd);
	if (n == 0)
		kill(-m->runtime_pid, SIGKILL);
	while (waitpid(m->runtime_pid, &status, 0) < 0 && errno == EINTR)
		;
	m->runtime_pid = 0;
	if (n == 0)
		return fail(m->run, ETIMEDOUT, "create of %s", m->runtime->path);
	return status == 0 ? 0 : runtime_failed(m->run, status);
}

int do_oci_runtime(struct run *run, const struct op_oci_runtime *op)
{
	struct monitor *m = run->monitor;
	int err;

	if (!m || !m->op)
		return fail(run, EINVAL, "%s: no process is monitored", op->path);
	m->runtime = op;
	m->runtime_index = run->current;
	if (op->console[0] && (m->console = listen_at(op->console)) < 0)
		return fail(run, errno, "%s", op->console);
	if (op->create.n == 0)
		return 0;
	err = start_runtime(m, &op->create);
	if (err != 0)
		return fail(run, err, "%s: %s", op->path, exec_error_text(err));
	/* It keeps them open, and so would we: the end of the output would never come. */
	close_child_stdio(m);
	return await_creation(m) == 0 && take_terminal(m) == 0 ? take_process(m) : -1;
}

int runtime_start(struct monitor *m)
{
	int err;

	if (m->released || !m->created)
		return EINVAL;
	m->released = true;
	m->run->exec_sent = true;
	err = start_runtime(m, &m->runtime->start);
	if (err != 0)
		m->released = false;
	return err;
}

int runtime_ended(struct monitor *m, int status)
{
	struct run *run = m->run;

	m->runtime_pid = 0;
	run->current = m->runtime_index;
	close_child_stdio(m);
	if (status != 0)
		return runtime_failed(run, status);
	if (run->init_pid == 0 && !run->init_reaped && (take_terminal(m) != 0 || take_process(m) != 0))
		return -1;
	adopt_terminal(m);
	monitor_started(m);
	return 0;
}
