/* The caller's terminal: carries bytes between it and a monitor that holds the pty (docs/CONTRACTS.md, "Connection protocol"). */
#include "terminal.h"
#include "../strake.h"

#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#define HEADER_BYTES 8u
#define PIECE_BYTES (32u << 10)
/* ATTACH: stdin, stdout, stderr */
#define ATTACH_ALL 7u
#define UNKNOWN_EXIT 255

/* A frame that the monitor's socket has not taken whole. */
struct pending {
	uint8_t data[HEADER_BYTES + PIECE_BYTES];
	size_t start, end;
};

static void frame(struct pending *to, uint8_t type, const void *payload, uint32_t length)
{
	uint32_t size = htobe32(length);

	memset(to->data, 0, HEADER_BYTES);
	to->data[0] = type;
	memcpy(to->data + 4, &size, sizeof(size));
	if (length > 0)
		memcpy(to->data + HEADER_BYTES, payload, length);
	to->start = 0;
	to->end = HEADER_BYTES + length;
}

/* What the socket takes of it. False: nobody reads there any more. */
static bool push(int fd, struct pending *what, int flags)
{
	while (what->start < what->end) {
		ssize_t n = send(fd, what->data + what->start, what->end - what->start, flags | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		what->start += (size_t)n;
	}
	return true;
}

/* Exactly LENGTH bytes; in one turn where they are on their way. */
static bool receive(int fd, void *data, size_t length)
{
	size_t have = 0;

	while (have < length) {
		ssize_t n = recv(fd, (uint8_t *)data + have, length - have, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static void write_out(const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody looks any more */
		data += n;
		length -= (size_t)n;
	}
}

/* The next frame, and what it asks for. -1: go on; else the exit status. */
static int take_frame(int fd)
{
	static uint8_t payload[PROGRAM_MAX_BYTES];
	uint8_t header[HEADER_BYTES];
	uint32_t length, status;

	if (!receive(fd, header, sizeof(header)))
		return UNKNOWN_EXIT;
	memcpy(&length, header + 4, sizeof(length));
	length = be32toh(length);
	if (length > sizeof(payload) || !receive(fd, payload, length))
		return UNKNOWN_EXIT;
	switch (header[0]) {
	case FRAME_STDOUT:
	case FRAME_STDERR:
		write_out(payload, length);
		return -1;
	case FRAME_EXIT:
		memcpy(&status, payload, sizeof(status));
		return (int)(le32toh(status) & 0xff);
	default:
		return -1;
	}
}

int terminal_attach(const char *dir)
{
	static struct pending attach;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint32_t flags = htole32(ATTACH_ALL);
	/* By a descriptor: the path may be longer than an address. */
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock", at);
	frame(&attach, FRAME_ATTACH, &flags, sizeof(flags));
	if (at < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || !push(fd, &attach, 0)) {
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

static void send_size(int fd, struct pending *out)
{
	struct winsize size;
	uint32_t payload[2];

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	payload[0] = htole32(size.ws_row);
	payload[1] = htole32(size.ws_col);
	frame(out, FRAME_RESIZE, payload, sizeof(payload));
	push(fd, out, MSG_DONTWAIT);
}

/* Bytes of our stdin as a frame. False: they have ended. */
static bool take_input(int fd, struct pending *out)
{
	static uint8_t piece[PIECE_BYTES];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	frame(out, n > 0 ? FRAME_STDIN : FRAME_STDIN_EOF, piece, n > 0 ? (uint32_t)n : 0);
	push(fd, out, MSG_DONTWAIT);
	return n > 0;
}

static int carry(int fd, int resized)
{
	static struct pending out;
	bool input = true;
	int status;

	for (;;) {
		bool waits = out.start < out.end;
		/* One frame at a time: while the monitor does not take it, nothing is read that would have to be kept. */
		struct pollfd polls[] = { { waits ? -1 : resized, POLLIN, 0 }, { fd, waits ? POLLIN | POLLOUT : POLLIN, 0 }, { input && !waits ? STDIN_FILENO : -1, POLLIN, 0 } };
		struct signalfd_siginfo info;

		if (poll(polls, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return UNKNOWN_EXIT;
		}
		if (polls[1].revents & (POLLIN | POLLHUP | POLLERR) && (status = take_frame(fd)) != -1)
			return status;
		if (waits && polls[1].revents & POLLOUT)
			push(fd, &out, MSG_DONTWAIT);
		else if (polls[0].revents && read(resized, &info, sizeof(info)) > 0)
			send_size(fd, &out);
		else if (polls[2].revents)
			input = take_input(fd, &out);
	}
}

int terminal_carry(int fd)
{
	struct termios cooked, raw;
	bool is_terminal = tcgetattr(STDIN_FILENO, &cooked) == 0;
	sigset_t watched;
	int status, resized;

	sigemptyset(&watched);
	sigaddset(&watched, SIGWINCH);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	resized = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (is_terminal) {
		raw = cooked;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	status = carry(fd, resized);
	if (is_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	close(fd);
	return status;
}
