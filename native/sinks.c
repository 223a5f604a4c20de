/* Where else the stdio of the monitored process leads, for callers that speak containerd's stdio: FIFOs, files, logging programs.
 * containerd, pkg/cio and cmd/containerd-shim-runc-v2/process/io.go; core/runtime/v2/logging. */
#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#define FIFO_MODE 0700
#define DIRECTORY_MODE 0755
#define FILE_MODE 0644
#define SINK_QUEUE_MAX (64u << 10)
#define LOGGER_DESCRIPTORS 3
#define LOGGER_END_NS 10000000000u /* containerd waits 12 s between SIGTERM and SIGKILL; here it has most of it to end by itself */
#define LOGGER_TERM_NS 2000000000u

static struct monitor *monitor_of(struct run *run)
{
	if (run->monitor)
		return run->monitor;
	fail(run, EINVAL, "no process is monitored");
	return NULL;
}

static int add_sink(struct run *run, struct monitor *m, int fd, uint32_t streams)
{
	if (m->nsinks == SINKS_MAX) {
		close(fd);
		return fail(run, ENFILE, "outputs of the process");
	}
	m->sinks[m->nsinks++] = (struct sink){ .fd = fd, .streams = streams };
	return 0;
}

static void wake(int number)
{
	(void)number;
}

/* Opens the FIFO for writing once somebody has it open to read, which may be a moment later. -1: errno. */
static int open_with_reader(const char *path, uint32_t timeout_ms)
{
	struct sigaction action = { .sa_handler = wake }, before; /* no SA_RESTART: it ends the open */
	struct itimerval limit = { .it_value = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 + 1 } };
	int fd, err;

	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 || errno != ENXIO)
		return fd;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &limit, NULL);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	err = fd < 0 && errno == EINTR ? ETIMEDOUT : errno;
	memset(&limit, 0, sizeof(limit));
	setitimer(ITIMER_REAL, &limit, NULL);
	sigaction(SIGALRM, &before, NULL);
	errno = err;
	return fd;
}

/* The FIFO behind FD, open once more by FLAGS. -1: errno. */
static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static bool is_fifo(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

int do_output_fifo(struct run *run, const struct op_output_fifo *op)
{
	struct monitor *m = monitor_of(run);
	autoclose writer = -1;
	int fd;

	if (!m)
		return -1;
	writer = open_with_reader(op->path, op->timeout_ms);
	if (writer < 0)
		return fail(run, errno, "reader of %s", op->path);
	if (!is_fifo(writer))
		return fail(run, EINVAL, "%s is not a FIFO", op->path);
	/* Open to read too: a reader may leave and another one come, and the process learns nothing of it. */
	fd = reopen(writer, O_RDWR);
	return fd < 0 ? fail(run, errno, "%s", op->path) : add_sink(run, m, fd, op->streams);
}

int do_output_file(struct run *run, const struct op_output_file *op)
{
	struct monitor *m = monitor_of(run);
	char *slash = strrchr(op->path, '/'), *parent;
	int fd;

	if (!m)
		return -1;
	parent = slash && slash != op->path ? strndup(op->path, (size_t)(slash - op->path)) : NULL;
	if (parent && make_directories(parent, DIRECTORY_MODE) != 0) {
		free(parent);
		return fail(run, errno, "directory of %s", op->path);
	}
	free(parent);
	fd = open(op->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, FILE_MODE);
	return fd < 0 ? fail(run, errno, "%s", op->path) : add_sink(run, m, fd, op->streams);
}

int do_input_fifo(struct run *run, const struct op_input_fifo *op)
{
	struct monitor *m = monitor_of(run);

	if (!m)
		return -1;
	/* Open to write too: it ends when the caller says so (STDIN_EOF), not when a writer leaves. */
	m->source = open(op->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (m->source < 0)
		return fail(run, errno, "%s", op->path);
	return is_fifo(m->source) ? 0 : fail(run, EINVAL, "%s is not a FIFO", op->path);
}

/* Descriptors of the logging program: 3 and 4 are stdout and stderr to read, 5 is closed (or written to) by it when it is ready. */
int do_output_program(struct run *run, const struct op_output_program *op)
{
	struct monitor *m = monitor_of(run);
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, ready[2] = { -1, -1 }, given[LOGGER_DESCRIPTORS], failed;
	struct pollfd said;
	int n;

	if (!m)
		return -1;
	if (op->argv.n == 0)
		return fail(run, EINVAL, "a logging program without a name");
	if (m->logger != 0 || m->nsinks + 2 > SINKS_MAX)
		return fail(run, ENFILE, "outputs of the process");
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0) {
		failed = errno;
	} else {
		given[0] = out[0], given[1] = err[0], given[2] = ready[1];
		failed = spawn_program(&(struct spawn){ .path = op->argv.v[0],
							.argv = (char *const *)op->argv.v,
							.env = (char *const *)op->env.v,
							.descriptors = given,
							.n = LOGGER_DESCRIPTORS },
				       &m->logger);
	}
	close_fd(&out[0]);
	close_fd(&err[0]);
	close_fd(&ready[1]);
	if (failed) {
		close_fd(&out[1]);
		close_fd(&err[1]);
		close_fd(&ready[0]);
		return fail(run, failed, "logging program %s", op->argv.v[0]);
	}
	said = (struct pollfd){ .fd = ready[0], .events = POLLIN };
	do
		n = poll(&said, 1, (int)op->timeout_ms);
	while (n < 0 && errno == EINTR);
	close(ready[0]);
	fcntl(out[1], F_SETFL, O_NONBLOCK);
	fcntl(err[1], F_SETFL, O_NONBLOCK);
	add_sink(run, m, out[1], STREAM_STDOUT);
	add_sink(run, m, err[1], STREAM_STDERR);
	if (n > 0)
		return 0;
	logger_kill(m, SIGKILL);
	return fail(run, ETIMEDOUT, "logging program %s", op->argv.v[0]);
}

void logger_kill(struct monitor *m, int signal)
{
	if (m->logger > 0)
		kill(m->logger, signal);
}

/* --- what the loop does with them ------------------------------------------------------------------------------------------ */

static void sink_gone(struct sink *sink)
{
	close_fd(&sink->fd);
	queue_clear(&sink->queue);
}

void sink_flush(struct sink *sink)
{
	while (sink->fd >= 0 && queue_length(&sink->queue) > 0) {
		ssize_t n = write(sink->fd, sink->queue.data + sink->queue.start, queue_length(&sink->queue));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* a logging program that has ended, a full disk: the others go on */
			if (errno == EPIPE)
				sink_gone(sink);
			else
				queue_clear(&sink->queue);
			return;
		}
		queue_drop(&sink->queue, (size_t)n);
		sink->progress = monotonic_ns();
	}
}

void sinks_output(struct monitor *m, uint32_t stream, const uint8_t *data, size_t len)
{
	for (unsigned i = 0; i < m->nsinks; i++) {
		struct sink *sink = &m->sinks[i];

		if (sink->fd < 0 || !(sink->streams & stream))
			continue;
		if (queue_length(&sink->queue) == 0)
			sink->progress = monotonic_ns();
		if (queue_add(&sink->queue, data, len) != 0)
			continue;
		sink_flush(sink);
	}
}

bool sinks_hold(const struct monitor *m)
{
	for (unsigned i = 0; i < m->nsinks; i++)
		if (queue_length(&m->sinks[i].queue) > SINK_QUEUE_MAX)
			return true;
	return false;
}

bool sinks_wait(const struct monitor *m)
{
	for (unsigned i = 0; i < m->nsinks; i++)
		if (queue_length(&m->sinks[i].queue) > 0)
			return true;
	return false;
}

void sinks_give_up(struct monitor *m, uint64_t stalled_ns)
{
	for (unsigned i = 0; i < m->nsinks; i++)
		if (queue_length(&m->sinks[i].queue) > 0 && monotonic_ns() - m->sinks[i].progress > stalled_ns)
			sink_gone(&m->sinks[i]);
}

void sinks_close(struct monitor *m)
{
	for (unsigned i = 0; i < m->nsinks; i++)
		sink_gone(&m->sinks[i]);
	close_fd(&m->source);
}

void source_read(struct monitor *m)
{
	static uint8_t bytes[16 << 10];
	ssize_t n = read(m->source, bytes, sizeof(bytes));

	if (n > 0)
		monitor_stdin(m, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		source_ended(m);
}

void source_ended(struct monitor *m)
{
	close_fd(&m->source);
	if (!(m->op->flags & MONITOR_TERMINAL)) /* that has no end but the one that is typed */
		monitor_stdin_end(m);
}

void source_let_end(struct monitor *m)
{
	int reader = reopen(m->source, O_RDONLY);

	if (reader < 0)
		return;
	close_fd(&m->source);
	m->source = reader;
}

/* It has read all when it ends by itself; one that does not is told to, and then made to. */
void logger_await(struct monitor *m)
{
	static const int signals[] = { 0, SIGTERM, SIGKILL };
	static const uint64_t waits[] = { LOGGER_END_NS, LOGGER_TERM_NS, LOGGER_TERM_NS };

	if (!m->looping) { /* there was no process: it has nothing to read */
		logger_kill(m, SIGKILL);
		if (m->logger > 0)
			waitpid(m->logger, NULL, 0);
		m->logger = 0;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals) && m->logger > 0; i++) {
		uint64_t deadline = monotonic_ns() + waits[i];

		logger_kill(m, signals[i]);
		for (uint64_t now = monotonic_ns(); m->logger > 0 && now < deadline; now = monotonic_ns())
			monitor_serve(m, (int)((deadline - now) / 1000000) + 1);
	}
}
