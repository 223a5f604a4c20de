/*
 * receive-descriptor SOCKET: the other end of --console-socket and --pidfd-socket, and of any socket over which a runtime
 * sends one descriptor. Listens on SOCKET and prints "listening"; takes one message and prints its bytes as
 * "message TEXT" and what the descriptor is as "descriptor LINK" (then "pid N" for a pidfd, "size ROWS COLUMNS" for a
 * terminal), then "ready". After that a terminal is relayed to stdin and stdout until its other end closes; for a
 * pidfd each line "N" of stdin sends that signal, answered by "sent" or "failed ERRNO".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "receive-descriptor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		die(path);
	puts("listening");
	int connection = accept(listener, NULL, NULL);
	if (connection < 0)
		die("accept");
	close(listener);
	unlink(path);
	return connection;
}

static int receive(int connection)
{
	char text[4096];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	if (length < 0)
		die("recvmsg");
	text[length] = '\0';
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) {
		fprintf(stderr, "receive-descriptor: no descriptor in the message \"%s\"\n", text);
		exit(1);
	}
	int fd;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	printf("message %s\n", text);
	return fd;
}

/* Returns the pid behind a pidfd; 0 for any other descriptor. */
static long describe(int fd)
{
	char path[64], link[256], line[256];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		die(path);
	link[length] = '\0';
	printf("descriptor %s\n", link);
	long pid = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE *info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "Pid: %ld", &pid) == 1)
			printf("pid %ld\n", pid);
	if (info)
		fclose(info);
	struct winsize size;
	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
		printf("size %d %d\n", size.ws_row, size.ws_col);
	puts("ready");
	return pid;
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0)
			die("write");
		bytes += written;
		length -= written;
	}
}

static void relay(int terminal)
{
	struct pollfd polled[2] = { { .fd = terminal, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	char bytes[4096];
	for (;;) {
		if (poll(polled, 2, -1) < 0)
			die("poll");
		if (polled[0].revents) {
			ssize_t length = read(terminal, bytes, sizeof(bytes));
			/* EIO: the last process closed the terminal's other end */
			if (length == 0 || (length < 0 && errno == EIO))
				return;
			if (length < 0)
				die("read of the terminal");
			write_all(STDOUT_FILENO, bytes, length);
		}
		if (polled[1].revents) {
			ssize_t length = read(STDIN_FILENO, bytes, sizeof(bytes));
			if (length <= 0)
				polled[1].fd = -1;
			else
				write_all(terminal, bytes, length);
		}
	}
}

static void send_signals(int pidfd)
{
	char line[64];
	while (fgets(line, sizeof(line), stdin)) {
		if (syscall(SYS_pidfd_send_signal, pidfd, atoi(line), NULL, 0) == 0)
			puts("sent");
		else
			printf("failed %d\n", errno);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: receive-descriptor SOCKET\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	int connection = accept_one(argv[1]);
	int fd = receive(connection);
	/* It stays open until the end: a seccomp or console sender may wait for its close. */
	if (describe(fd) != 0)
		send_signals(fd);
	else if (isatty(fd))
		relay(fd);
	close(connection);
	return 0;
}
