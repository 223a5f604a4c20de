/* The monitor: parent of a container's init. It serves its stdio, its log and the clients, and keeps the exit status. */
#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* What the dead init's pipes hold is read at once; somebody who still has them open (an exec's grandchild, a container in the host's pid
 * namespace) is waited for no longer than this. Docker waits 3 s, containerd's shim 10 s, for the same. */
#define DRAIN_NS 100000000u
#define STALLED_CLIENT_NS 10000000000u /* after the exit: a client that takes nothing for so long is given up */
#define BACK_OFF_MS 10
#define WRITERS_NS 1000000000u
/* v1 says that memory runs out before it kills somebody, and says so to all cgroups below the one whose limit it is: who was killed shows a moment later. */
#define MEMORY_LOOK_MS 5
#define MEMORY_LOOKS 20
#define SETTLE_MS 2000 /* from the start to the end of the set-up's pages: a process of a moment is spared that */
#define RUNTIME_LOOK_MS 1000 /* whether the runtime takes too long */
#define SIGNAL_GROUP 1u
#define REAP_FORWARD_SIGNALS 1u
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2) /* linux/pidfd.h, since 6.9 */
#endif

static struct monitor the_monitor = { .dir = -1, .listener = -1, .signals = -1, .memory = -1, .source = -1, .console = -1, .input = -1, .output = { -1, -1 }, .child = { -1, -1, -1 } };

/* --- set-up ---------------------------------------------------------------------------------------------------------- */

/* The directory by its descriptor: a path with two ids in it is longer than a socket's address can be. */
static int listen_in(int dir)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/monitor.sock", dir);
	return listen_at(path);
}

int do_monitor(struct run *run, const struct op_monitor *op)
{
	struct monitor *m = &the_monitor;
	const char *slash = strrchr(op->dir, '/');

	m->run = run;
	m->op = op;
	run->monitor = m;
	setsid(); /* the daemon's signals are its own; EPERM: the command line made us leader already */
	process_title("monitor", slash ? slash + 1 : op->dir);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return fail(run, errno, "PR_SET_CHILD_SUBREAPER");
	if (make_directories(op->dir, 0700) != 0 || (m->dir = open(op->dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail(run, errno, "%s", op->dir);
	m->listener = listen_in(m->dir);
	if (m->listener < 0)
		return fail(run, errno, "%s/monitor.sock", op->dir);
	if (make_stdio(m, op->flags) != 0)
		return fail(run, errno, "stdio of the process");
	if (op->log_path[0] && !(m->log = log_open(op->log_path, op->log_driver, op->log_max_size, op->log_max_files)))
		return fail(run, errno, "log %s", op->log_path);
	return 0;
}

/* NAME appears in the task directory with all of its text, or not at all. */
static int publish(struct monitor *m, const char *name, const char *text)
{
	char temporary[32];

	snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	if (write_fd(openat(m->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), text, strlen(text)) != 0)
		return -1;
	return renameat(m->dir, temporary, m->dir, name);
}

int monitor_after_clone(struct run *run)
{
	struct monitor *m = run->monitor;
	char text[80];

	if (!m)
		return 0;
	for (int i = 0; i < 3; i++)
		close_fd(&m->child[i]);
	snprintf(text, sizeof(text), "%d %llu %d\n", run->init_pid, (unsigned long long)run->init_start, getpid());
	if (publish(m, "pid", text) != 0)
		return fail(run, errno, "%s/pid", m->op->dir);
	return 0;
}

/* --- commands ---------------------------------------------------------------------------------------------------------- */

static int release(struct monitor *m)
{
	if (m->run->sync_fd < 0)
		return EINVAL;
	if (sync_send(m->run, SYNC_START, m->run->current, 0, NULL, -1) != 0)
		return errno;
	m->released = true;
	return 0;
}

int monitor_start(struct monitor *m, bool control)
{
	if (m->runtime)
		return runtime_start(m);
	if (m->released || m->start_kept || m->run->has_fifo || !m->run->has_wait_start)
		return EINVAL;
	if (m->created)
		return release(m);
	m->start_kept = control;
	return control ? 0 : EINVAL;
}

int monitor_signal(struct monitor *m, uint32_t number, uint32_t flags)
{
	struct run *run = m->run;
	pid_t group;

	if (run->init_reaped || run->init_pidfd < 0)
		return ESRCH;
	if (!(flags & SIGNAL_GROUP))
		return syscall(SYS_pidfd_send_signal, run->init_pidfd, (int)number, NULL, 0) == 0 ? 0 : errno;
	group = getpgid(run->init_pid);
	if (group == getpgrp()) /* it has no group of its own yet: we would be in it */
		return EPERM;
	if (syscall(SYS_pidfd_send_signal, run->init_pidfd, (int)number, NULL, PIDFD_SIGNAL_PROCESS_GROUP) == 0)
		return 0;
	return errno == EINVAL && group > 1 && kill(-group, (int)number) == 0 ? 0 : errno;
}

int monitor_resize(struct monitor *m, uint32_t rows, uint32_t cols)
{
	struct winsize size = { .ws_row = (uint16_t)rows, .ws_col = (uint16_t)cols };

	if (rows > UINT16_MAX || cols > UINT16_MAX)
		return EINVAL;
	return ioctl(m->run->pty_master, TIOCSWINSZ, &size) == 0 ? 0 : m->run->pty_master < 0 ? ENOTTY : errno;
}

int monitor_reopen_log(struct monitor *m)
{
	return m->log && log_reopen(m->log) != 0 ? errno : 0;
}

void monitor_control_closed(struct monitor *m)
{
	/* Nobody is left who could say START. */
	if (m->run->has_wait_start && !m->released && !m->run->has_fifo && m->dir < 0)
		monitor_signal(m, SIGKILL, 0);
	/* A process that its start makes: there is nothing yet that could be started later. */
	m->abandoned = m->runtime && !m->released && !m->run->init_reaped && m->run->init_pid == 0;
}

/* --- the loop ---------------------------------------------------------------------------------------------------------- */

/* Tells of those who were killed since the last time because the container's memory ran out. */
static void note_memory(struct monitor *m)
{
	int64_t kills = m->op && m->op->oom_file[0] ? cgroup_counter(m->op->oom_file, "oom_kill") : -1;

	if (kills <= (int64_t)m->oom_kills)
		return;
	m->oom_kills = (uint32_t)kills;
	m->memory_looks = 0;
	m->oom_untold = !clients_oom(m);
}

static void serve_memory(struct monitor *m)
{
	char told[1024];

	while (read(m->memory, told, sizeof(told)) > 0)
		;
	m->memory_looks = MEMORY_LOOKS;
}

static void note_exit(struct monitor *m, int status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	m->exit_time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	m->run->init_status = status;
	m->run->init_reaped = true;
	m->run->init_pid = 0;
	/* Before the cleanup removes the cgroup. */
	note_memory(m);
}

/* Hands on the signals that came; reaps the init, the decider, and what the subreaper inherited. -1: the process could not be started. */
static int serve_signals(struct monitor *m)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(m->signals, &info, sizeof(info)) > 0)
		if (info.ssi_signo != SIGCHLD)
			monitor_signal(m, info.ssi_signo, 0);
	/* While the runtime works it is not known yet who of those that have ended is the one to wait for. */
	while ((pid = waitpid(m->runtime_pid ? m->runtime_pid : -1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == m->runtime_pid && runtime_ended(m, status) != 0)
			return -1;
		if (pid == m->run->init_pid)
			note_exit(m, status);
		if (pid == m->logger)
			m->logger = 0;
		if (pid != m->run->decider)
			continue;
		m->run->decider_status = status;
		m->run->decider_ended = true;
	}
	return 0;
}

/* Written down first: who comes after a daemon that dies now knows that it runs. A disk that takes nothing costs that knowledge, not the process. */
void monitor_started(struct monitor *m)
{
	int fd = m->dir < 0 ? -1 : openat(m->dir, "started", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	close_fd(&fd);
	m->started = true;
	m->settles = monotonic_ns() + SETTLE_MS * 1000000ull;
	report_send(m->run, PHASE_STARTED);
}

/* Everything that the init says on its way to execve. -1: it failed. */
static int listen_to_init(struct monitor *m)
{
	struct run *run = m->run;
	int kind = sync_receive(run);

	if (kind < 0)
		return errno == EAGAIN ? 0 : fail(run, errno, "hand-over from the first process");
	if (kind == SYNC_CREATED) {
		m->created = true;
		report_send(run, PHASE_CREATED);
		if (m->start_kept && release(m) != 0)
			clients_refuse_start(m);
	}
	if (kind == 0 && run->failed.index != NO_OP && m->created && !m->released && !run->has_fifo) {
		/* Killed between create and start: that is an exit like others. */
		run->failed.index = NO_OP;
	} else if (kind == 0 && run->failed.index == NO_OP && run_after_exec(run) == 0) {
		monitor_started(m);
	}
	adopt_terminal(m);
	return run->failed.index == NO_OP ? 0 : -1;
}

static void accept_clients(struct monitor *m)
{
	int fd = 0;

	while (m->nclients < CLIENTS_MAX && (fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		client_add(m, fd);
	/* Out of descriptors: the client stays in the queue, and must not keep the loop spinning. */
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
		poll(NULL, 0, BACK_OFF_MS);
}

enum { POLL_SIGNALS, POLL_SYNC, POLL_LISTENER, POLL_INPUT, POLL_OUTPUT, POLL_ERROR, POLL_SOURCE, POLL_MEMORY, POLL_SINKS, POLL_FIXED = POLL_SINKS + SINKS_MAX };

int monitor_serve(struct monitor *m, int timeout)
{
	static struct pollfd polls[POLL_FIXED + CLIENTS_MAX];
	struct run *run = m->run;
	/* Once the init is dead its output is finite: slow clients hold nothing back then. */
	bool unmade = m->runtime && !m->started; /* what another runtime says of its failure is not the process's */
	bool hold = !run->init_reaped && (clients_hold(m) || sinks_hold(m) || unmade);
	bool write_input = queue_length(&m->stdin_queue) > 0;
	bool retry = m->terminal_retry != 0 && !run->init_reaped;
	nfds_t n = POLL_FIXED;

	if (retry && monotonic_ns() >= m->terminal_retry)
		m->terminal_retry = 0, retry = false;
	if (retry && (timeout < 0 || timeout > (int)(TERMINAL_RETRY_NS / 1000000)))
		timeout = (int)(TERMINAL_RETRY_NS / 1000000);
	if (m->memory_looks > 0 && (timeout < 0 || timeout > MEMORY_LOOK_MS))
		timeout = MEMORY_LOOK_MS;
	if (m->settles != 0 && (timeout < 0 || timeout > SETTLE_MS))
		timeout = SETTLE_MS;
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = m->signals, .events = POLLIN };
	polls[POLL_SYNC] = (struct pollfd){ .fd = run->sync_fd, .events = POLLIN };
	polls[POLL_LISTENER] = (struct pollfd){ .fd = m->nclients < CLIENTS_MAX ? m->listener : -1, .events = POLLIN };
	/* Watched for its end too: a client that writes to nobody must not wait. The pty is watched for that as output. */
	polls[POLL_INPUT] = (struct pollfd){ .fd = is_terminal(m) && !write_input ? -1 : stdin_fd(m), .events = write_input ? POLLOUT : 0 };
	polls[POLL_OUTPUT] = (struct pollfd){ .fd = hold || retry ? -1 : m->output[0], .events = POLLIN };
	polls[POLL_ERROR] = (struct pollfd){ .fd = hold ? -1 : m->output[1], .events = POLLIN };
	polls[POLL_MEMORY] = (struct pollfd){ .fd = run->init_reaped ? -1 : m->memory, .events = POLLIN };
	polls[POLL_SOURCE] = (struct pollfd){ .fd = takes_stdin(m) ? m->source : -1, .events = POLLIN };
	for (unsigned i = 0; i < SINKS_MAX; i++)
		polls[POLL_SINKS + i] = (struct pollfd){ .fd = i < m->nsinks && queue_length(&m->sinks[i].queue) > 0 ? m->sinks[i].fd : -1, .events = POLLOUT };
	for (struct client *c = m->clients; c; c = c->next) {
		int events = client_poll_events(m, c);

		c->poll = &polls[n++];
		*c->poll = (struct pollfd){ .fd = events < 0 ? -1 : c->fd, .events = (short)(events < 0 ? 0 : events) };
	}
	if (poll(polls, n, timeout) < 0)
		return errno == EINTR ? 0 : fail(run, errno, "poll");
	/* Clients first: new ones have no entry of this round yet. */
	for (struct client *c = m->clients; c; c = c->next)
		if (c->poll->revents)
			client_events(m, c, c->poll->revents);
	for (unsigned i = 0; i < m->nsinks; i++)
		if (polls[POLL_SINKS + i].revents)
			sink_flush(&m->sinks[i]);
	if (polls[POLL_SOURCE].revents && m->source >= 0)
		source_read(m);
	if (polls[POLL_INPUT].revents & POLLERR && !is_terminal(m))
		close_stdin(m);
	else if (polls[POLL_INPUT].revents && stdin_fd(m) >= 0)
		write_stdin(m);
	if (polls[POLL_OUTPUT].revents)
		read_output(m, 0);
	if (polls[POLL_ERROR].revents)
		read_output(m, 1);
	if (polls[POLL_LISTENER].revents)
		accept_clients(m);
	clients_sweep(m);
	if (polls[POLL_SYNC].revents && run->sync_fd >= 0 && listen_to_init(m) != 0)
		return -1;
	if (polls[POLL_MEMORY].revents)
		serve_memory(m);
	if (m->memory_looks > 0 && !run->init_reaped) {
		m->memory_looks--;
		note_memory(m);
	}
	if (m->settles != 0 && monotonic_ns() >= m->settles) {
		m->settles = 0;
		drop_pages();
	}
	if (m->runtime_pid && monotonic_ns() > m->runtime_deadline)
		kill(-m->runtime_pid, SIGKILL);
	return polls[POLL_SIGNALS].revents ? serve_signals(m) : 0;
}

/* What the loop hears of: SIGCHLD, and what is the init's to handle, which is all but what is about this process or its terminal. */
static void watched_signals(sigset_t *set, bool forward)
{
	static const int own[] = { SIGPIPE, SIGURG, SIGWINCH, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };

	sigemptyset(set);
	if (forward)
		sigfillset(set);
	for (size_t i = 0; forward && i < sizeof(own) / sizeof(*own); i++)
		sigdelset(set, own[i]);
	sigaddset(set, SIGCHLD);
}

static int start_loop(struct run *run, bool forward)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU };
	struct monitor *m = run->monitor ? run->monitor : &the_monitor;
	struct client *control;
	sigset_t watched;

	m->run = run;
	run->monitor = m;
	/* First blocked, then ignored where they are not watched: none is lost, none ends us. The init was cloned before this. */
	watched_signals(&watched, forward);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (!sigismember(&watched, ignored[i]))
			signal(ignored[i], SIG_IGN);
	m->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signals < 0)
		return fail(run, errno, "signalfd");
	control = client_add(m, run->conn);
	if (!control)
		return fail(run, ENOMEM, "control connection");
	control->control = control->waits = true;
	/* Where that cannot be watched, the exit tells. */
	if (m->op && m->op->oom_file[0])
		m->memory = oom_watch(m->op->oom_file);
	m->looping = true;
	return 0;
}

/* The cleanup takes away what the decider may still be writing down. */
static bool decider_works(const struct run *run)
{
	return run->decider != 0 && !run->handed_over && !run->decider_ended;
}

int do_reap(struct run *run, const struct op_reap *op)
{
	struct monitor *m;
	uint64_t deadline;

	if (start_loop(run, op->flags & REAP_FORWARD_SIGNALS) != 0)
		return -1;
	m = run->monitor;
	adopt_terminal(m);
	if (m->runtime) {
		m->created = true;
		report_send(run, PHASE_CREATED);
	}
	serve_signals(m); /* it may be dead since before SIGCHLD was blocked */
	while (!run->init_reaped)
		if (m->abandoned)
			return fail(run, ECANCELED, "nobody starts the process");
		else if (monitor_serve(m, m->runtime_pid ? RUNTIME_LOOK_MS : -1) != 0)
			return -1;
	/* What it said last: a report of `started` comes before EXIT, a failed execve is no exit. */
	while (run->sync_fd >= 0)
		if (listen_to_init(m) != 0)
			return -1;
	deadline = monotonic_ns() + DRAIN_NS;
	for (uint64_t now = monotonic_ns(); (m->output[0] >= 0 || m->output[1] >= 0) && now < deadline; now = monotonic_ns())
		monitor_serve(m, (int)((deadline - now) / 1000000) + 1);
	for (int i = 0; i < 2; i++)
		for (int pieces = 0; m->output[i] >= 0 && pieces < 64 && read_output(m, i); pieces++)
			; /* bounded: somebody may be writing still */
	close_fd(&m->output[0]);
	close_fd(&m->output[1]);
	close_fd(&run->pty_master);
	close_stdin(m);
	log_flush(m->log);
	while (decider_works(run))
		monitor_serve(m, -1);
	/* It may have ended behind the round that saw its end: what it said last lies in the connection still. */
	if (run->decider_ended && !run->handed_over)
		monitor_serve(m, 0);
	return 0;
}

/* --- the end ------------------------------------------------------------------------------------------------------------- */

static void publish_exit(struct monitor *m)
{
	int status = m->run->init_status;
	char text[96];

	snprintf(text, sizeof(text), "%d %d %llu %u\n", exit_code(status),
		 WIFSIGNALED(status) ? WTERMSIG(status) : 0, (unsigned long long)m->exit_time, m->oom_kills);
	if (m->dir >= 0)
		publish(m, "exit", text);
	/* Who hears of the exit may unmount what these stand on. */
	log_close(m->log);
	m->log = NULL;
	for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
		close_fd(&m->run->slots[i]);
	m->exited = true;
	for (struct client *c = m->clients; c; c = c->next)
		if (c->waits)
			client_send_exit(m, c);
}

static bool output_waits(const struct monitor *m)
{
	if (sinks_wait(m))
		return true;
	for (const struct client *c = m->clients; c; c = c->next)
		if (queue_length(&c->out) > 0)
			return true;
	return false;
}

static bool writers_left(const struct monitor *m)
{
	for (const struct client *c = m->clients; c; c = c->next)
		if (c->attached & ATTACH_STDIN && !c->ended && !c->gone)
			return true;
	return false;
}

/* Who sends stdin may be at it still. On a closed connection that would fail, and what it has not read yet would be lost with it: it is told of
 * the end, and has a moment to leave by itself. */
static void await_writers(struct monitor *m)
{
	uint64_t deadline = monotonic_ns() + WRITERS_NS;

	for (struct client *c = m->clients; c; c = c->next)
		if (c->attached & ATTACH_STDIN && !c->gone)
			shutdown(c->fd, SHUT_WR);
	for (uint64_t now = monotonic_ns(); writers_left(m) && now < deadline; now = monotonic_ns())
		monitor_serve(m, (int)((deadline - now) / 1000000) + 1);
}

void monitor_finish(struct run *run)
{
	struct monitor *m = run->monitor;

	if (!m)
		return;
	if (run->init_reaped && run->failed.index == NO_OP)
		publish_exit(m);
	/* Those who connected during the cleanup, and asked: from now on the exit file answers. */
	if (m->exited && m->listener >= 0) {
		accept_clients(m);
		for (int rounds = 0; rounds < 4; rounds++)
			monitor_serve(m, 0);
	}
	if (m->listener >= 0)
		unlinkat(m->dir, "monitor.sock", 0);
	close_fd(&m->listener);
	while (output_waits(m)) {
		monitor_serve(m, 1000);
		sinks_give_up(m, STALLED_CLIENT_NS);
		for (struct client *c = m->clients; c; c = c->next)
			if (queue_length(&c->out) > 0 && monotonic_ns() - c->progress > STALLED_CLIENT_NS)
				queue_clear(&c->out);
	}
	sinks_close(m);
	logger_await(m);
	await_writers(m);
	for (struct client *c = m->clients; c; c = c->next)
		c->gone = c->ended = true;
	clients_sweep(m);
	log_close(m->log);
	m->looping = false;
}
