/* The caller's terminal: carries bytes between it and a monitor that holds the pty (docs/CONTRACTS.md, "Connection protocol"). */
#include "terminal.h"
#include "../monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#define PIECE_BYTES (32u << 10)
#define UNKNOWN_EXIT 255

/* Who watches the caller's stdin and signals while the terminal is carried. */
struct input {
	int connection, signals;
};

/* All of it, though our stdout may be non-blocking: its flags are shared with others, and not ours to change. */
static void write_out(const uint8_t *data, size_t length)
{
	struct pollfd room = { STDOUT_FILENO, POLLOUT, 0 };

	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, data, length);

		if (n > 0) {
			data += n;
			length -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(&room, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			return; /* nobody looks any more */
		}
	}
}

/* The next frame, and what it asks for. -1: go on; else the exit status. */
static int take_frame(int fd)
{
	static uint8_t payload[PROGRAM_MAX_BYTES];
	uint8_t header[FRAME_HEADER];
	uint32_t length;

	if (conn_read_full(fd, header, sizeof(header)) != 1)
		return UNKNOWN_EXIT;
	length = frame_length(header);
	if (length > sizeof(payload) || (length > 0 && conn_read_full(fd, payload, length) != 1))
		return UNKNOWN_EXIT;
	switch (header[0]) {
	case FRAME_STDOUT:
	case FRAME_STDERR:
		write_out(payload, length);
		return -1;
	case FRAME_EXIT:
		return length < 4 ? UNKNOWN_EXIT : (int)(get_u32(payload) & 0xff);
	default:
		return -1;
	}
}

int terminal_attach(const char *dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t flags[4];
	/* By a descriptor: the path may be longer than an address. */
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock", at);
	put_u32(flags, ATTACH_STDIN | ATTACH_STDOUT | ATTACH_STDERR);
	if (at < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || conn_send(fd, FRAME_ATTACH, flags, sizeof(flags)) != 0) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		fd = -1;
		errno = err;
	}
	if (at >= 0) {
		int err = errno;

		close(at);
		errno = err;
	}
	/* Its reply: from now on it counts us. */
	if (fd >= 0 && take_frame(fd) != -1) {
		close(fd);
		errno = ECONNRESET;
		return -1;
	}
	return fd;
}

static bool send_size(struct input *input)
{
	struct winsize size;
	uint8_t payload[8];

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		return true;
	put_u32(payload, size.ws_row);
	put_u32(payload + 4, size.ws_col);
	return conn_send(input->connection, FRAME_RESIZE, payload, sizeof(payload)) == 0;
}

/* A new size; or somebody ends us, who must find the terminal as it was: then nothing more is received. False: nobody takes input any more. */
static bool take_signal(struct input *input)
{
	struct signalfd_siginfo info;

	if (read(input->signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGWINCH)
		return send_size(input);
	shutdown(input->connection, SHUT_RDWR);
	return false;
}

/* Bytes of our stdin as a frame. False: they have ended, or nobody takes them any more. */
static bool take_input(struct input *input)
{
	static uint8_t piece[PIECE_BYTES];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* Waits while the monitor does not take it: what is read meanwhile would have to be kept. */
	return conn_send(input->connection, n > 0 ? FRAME_STDIN : FRAME_STDIN_EOF, piece, n > 0 ? (uint32_t)n : 0) == 0 && n > 0;
}

/* A thread of its own: output that nobody takes must not hold up what is typed, which may be the Ctrl-C that ends it. */
static void *carry_input(void *given)
{
	struct input *input = given;
	bool more = true, open = send_size(input); /* it may have changed since the pty was made */

	while (open) {
		struct pollfd polls[] = { { input->connection, 0, 0 }, { input->signals, POLLIN, 0 }, { more ? STDIN_FILENO : -1, POLLIN, 0 } };

		if (poll(polls, 3, -1) < 0 && errno != EINTR)
			break;
		open = polls[0].revents == 0;
		if (open && polls[1].revents)
			open = take_signal(input);
		else if (open && polls[2].revents)
			more = take_input(input);
	}
	return NULL;
}

/* The exit status. The thread may be in a read that it shares with others: it ends by the end of the connection, or with us. */
static int carry(struct input *input)
{
	pthread_t thread;
	int status = UNKNOWN_EXIT;

	if (pthread_create(&thread, NULL, carry_input, input) != 0)
		return status;
	pthread_detach(thread);
	while ((status = take_frame(input->connection)) == -1)
		;
	shutdown(input->connection, SHUT_RDWR);
	return status;
}

/* As a person's terminal is while another one decides; output keeps its line ends, for the container's pty makes none. */
static void make_raw(const struct termios *cooked)
{
	struct termios raw = *cooked;

	cfmakeraw(&raw);
	raw.c_oflag = cooked->c_oflag;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

int terminal_carry(int fd)
{
	static struct input input;
	struct termios cooked;
	bool is_terminal = tcgetattr(STDIN_FILENO, &cooked) == 0;
	sigset_t watched, before;
	int status;

	sigemptyset(&watched);
	sigaddset(&watched, SIGWINCH);
	sigaddset(&watched, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &watched, &before);
	input.connection = fd;
	input.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (is_terminal)
		make_raw(&cooked);
	status = carry(&input);
	if (is_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}
