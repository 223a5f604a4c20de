/* The zygote: forks one process per connection, which runs the program that comes on it. It lives as long as the daemon (its stdin); what it
 * forked lives on. */
#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define PROGRAM_TIMEOUT_S 30 /* a client that connects and says nothing holds a process for so long */
#define BACKLOG 4096 /* a full one refuses at once (unix sockets: EAGAIN); the kernel caps it at net.core.somaxconn */
#define BACK_OFF_MS 50 /* out of descriptors or memory */

static char *title; /* the memory of argv, from argv[0] on */
static size_t title_size;

void process_title(const char *role, const char *id)
{
	if (!title)
		return;
	memset(title, 0, title_size);
	snprintf(title, title_size, "strake-init: %s %s", role, id);
}

void process_command_line(const char *name, const char *const *argv, size_t n)
{
	size_t used;

	if (!title)
		return;
	memset(title, 0, title_size);
	used = (size_t)snprintf(title, title_size, "%s", name) + 1;
	/* What does not fit is left out; the last byte stays 0. */
	for (size_t i = 0; i < n && used + 1 < title_size; i++)
		used += (size_t)snprintf(title + used, title_size - used, "%s", argv[i]) + 1;
}

int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int result;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
		errno = fd < 0 ? errno : ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	mask = umask(0177); /* 0600 from the first moment */
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (result == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close_fd(&fd);
	return -1;
}

/* The child's life: nothing of the daemon stays open in it, or the daemon's end would not be seen by others. */
static int serve_connection(int conn)
{
	static struct run run;
	const struct timeval wait = { .tv_sec = PROGRAM_TIMEOUT_S }, forever = { 0, 0 };
	uint8_t type = 0, *payload = NULL;
	uint32_t len = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return 1;
	for (int i = 0; i <= 2; i++)
		if (dup2(null, i) < 0)
			return 1;
	close(null);
	signal(SIGCHLD, SIG_DFL);
	setsid();
	process_title("program", "");
	run_init(&run, conn);
	setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (conn_read_frame(conn, &type, &payload, &len, PROGRAM_MAX_BYTES + 64) != 1 || type != FRAME_PROGRAM)
		return 1;
	setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	if (program_decode(payload, len, &run) != 0) {
		report_send(&run, PHASE_CREATED);
		return 1;
	}
	return run_program(&run);
}

static bool stdin_ended(void)
{
	char bytes[64];
	ssize_t n = read(0, bytes, sizeof(bytes));

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

int zygote_main(const char *socket_path)
{
	int listener;

	title = program_invocation_name;
	title_size = (size_t)(socket_path + strlen(socket_path) - title);
	prctl(PR_SET_NAME, "strake-init");
	listener = listen_at(socket_path);
	if (listener < 0) {
		perror(socket_path);
		return 1;
	}
	if (puts(OPS_HASH) < 0 || fflush(stdout) != 0) /* the daemon waits for it, and compares: it may be of another build */
		perror("stdout");
	signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		struct pollfd polls[2] = { { .fd = 0, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
		int conn;
		pid_t pid;

		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[0].revents && stdin_ended())
			break;
		if (!polls[1].revents)
			continue;
		conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (conn < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			poll(polls, 1, BACK_OFF_MS); /* the client waits in the queue */
		if (conn < 0)
			continue;
		pid = fork();
		if (pid == 0) {
			close(listener);
			_exit(serve_connection(conn));
		}
		/* Without a process the connection just ends: the client sees that no report came. */
		close(conn);
	}
	unlink(socket_path);
	return 0;
}
