/* The stdio of the monitored process, pipes or a terminal: what clients send goes in, what it says goes to the log, the sinks and the clients. */
#include "monitor.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static uint8_t chunk[64 << 10];

/* --- its ends, until it has them --------------------------------------------------------------------------------------- */

/* A pipe: OURS is non-blocking, the init's end is not. INPUT: ours is the end to write to. */
static int make_pipe(int *ours, int *theirs, bool input)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return -1;
	*ours = pair[input];
	*theirs = pair[!input];
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

int make_stdio(struct monitor *m, uint32_t flags)
{
	if (flags & MONITOR_INHERIT)
		return 0;
	for (int i = 0; i < 3; i++) {
		bool null = flags & (MONITOR_NULL | MONITOR_TERMINAL) || (i == 0 && !(flags & MONITOR_STDIN));

		if (null)
			m->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		else if (make_pipe(i == 0 ? &m->input : &m->output[i - 1], &m->child[i], i == 0) != 0)
			return -1;
		if (m->child[i] < 0)
			return -1;
	}
	return 0;
}

void monitor_child_stdio(struct run *run)
{
	struct monitor *m = run->monitor;

	if (!m)
		return;
	for (int i = 0; i < 3; i++)
		if (m->child[i] >= 0 && dup2(m->child[i], i) < 0)
			_exit(1);
	for (int i = 0; i < 3; i++)
		close_fd(&m->child[i]);
	close_fd(&m->input);
	close_fd(&m->output[0]);
	close_fd(&m->output[1]);
	close_fd(&m->listener);
	close_fd(&m->dir);
	log_close(m->log);
	sinks_close(m);
}

int monitor_lend_stdio(struct run *run)
{
	struct monitor *m = run->monitor;

	for (int i = 0; m && i < 3; i++)
		if (m->child[i] >= 0 && dup2(m->child[i], i) < 0)
			return fail(run, errno, "stdio of the process");
	return 0;
}

void monitor_take_stdio_back(struct run *run)
{
	autoclose null = run->monitor ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

	for (int i = 0; null >= 0 && i < 3; i++)
		dup2(null, i);
}

/* --- ours ------------------------------------------------------------------------------------------------------------------ */

bool is_terminal(const struct monitor *m)
{
	return m->op && m->op->flags & MONITOR_TERMINAL;
}

int stdin_fd(const struct monitor *m)
{
	return is_terminal(m) ? m->run->pty_master : m->input;
}

void close_stdin(struct monitor *m)
{
	queue_clear(&m->stdin_queue);
	m->stdin_ended = true;
	close_fd(&m->input);
}

void write_stdin(struct monitor *m)
{
	while (queue_length(&m->stdin_queue) > 0) {
		ssize_t n = write(stdin_fd(m), m->stdin_queue.data + m->stdin_queue.start, queue_length(&m->stdin_queue));

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) { /* the process has closed its stdin */
			close_stdin(m);
			return;
		}
		queue_drop(&m->stdin_queue, n > 0 ? (size_t)n : 0);
	}
	if (m->stdin_ended && !is_terminal(m))
		close_fd(&m->input);
}

void monitor_stdin(struct monitor *m, const uint8_t *data, size_t len)
{
	bool possible = is_terminal(m) ? !m->run->init_reaped : m->input >= 0 && !m->stdin_ended;

	if (!possible || len == 0)
		return;
	if (queue_add(&m->stdin_queue, data, len) == 0 && stdin_fd(m) >= 0)
		write_stdin(m);
}

void monitor_stdin_end(struct monitor *m)
{
	struct termios termios;
	uint8_t end = 4; /* ^D */

	if (is_terminal(m)) {
		if (m->run->pty_master >= 0 && tcgetattr(m->run->pty_master, &termios) == 0)
			end = termios.c_cc[VEOF];
		monitor_stdin(m, &end, 1);
		return;
	}
	m->stdin_ended = true;
	if (m->input >= 0)
		write_stdin(m);
}

bool takes_stdin(const struct monitor *m)
{
	return m->source >= 0 && queue_length(&m->stdin_queue) <= STDIN_QUEUE_MAX;
}

void adopt_terminal(struct monitor *m)
{
	struct termios termios;

	if (!is_terminal(m) || m->output[0] >= 0 || m->run->pty_master < 0)
		return;
	if (m->op->flags & MONITOR_PLAIN_NEWLINES && tcgetattr(m->run->pty_master, &termios) == 0) {
		termios.c_oflag &= ~(tcflag_t)ONLCR;
		tcsetattr(m->run->pty_master, TCSANOW, &termios);
	}
	fcntl(m->run->pty_master, F_SETFL, O_RDWR | O_NONBLOCK);
	m->output[0] = fcntl(m->run->pty_master, F_DUPFD_CLOEXEC, 3);
	write_stdin(m);
}

bool read_output(struct monitor *m, int index)
{
	uint8_t stream = index == 0 ? FRAME_STDOUT : FRAME_STDERR;
	ssize_t n = read(m->output[index], chunk, sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n < 0 && is_terminal(m) && !m->run->init_reaped) { /* EIO: nobody has it open */
		m->terminal_retry = monotonic_ns() + TERMINAL_RETRY_NS;
		return false;
	}
	if (n <= 0) { /* no writer is left */
		close_fd(&m->output[index]);
		return false;
	}
	log_write(m->log, stream, chunk, (size_t)n);
	sinks_output(m, stream == FRAME_STDOUT ? STREAM_STDOUT : STREAM_STDERR, chunk, (size_t)n);
	clients_output(m, stream, chunk, (size_t)n);
	return true;
}
