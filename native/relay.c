/* A connection to a port of this network namespace, carried over the program's connection. */
#include "monitor.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PIECE_BYTES (64u << 10)

static int connect_to(const struct sockaddr *address, socklen_t length, uint32_t timeout_ms)
{
	/* connect(2) keeps to the time for sending. */
	const struct timeval patience = { .tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 }, none = { 0 };
	autoclose fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0)
		return -1;
	if (connect(fd, address, length) != 0) {
		if (errno == EINPROGRESS)
			errno = ETIMEDOUT;
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	connected = fd;
	fd = -1;
	return connected;
}

/* By IPv4, else by IPv6; -1 with the errno of IPv4, whose refusal is what users know. */
static int connect_loopback(uint16_t port, uint32_t timeout_ms)
{
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = connect_to((const struct sockaddr *)&four, sizeof(four), timeout_ms);
	int err = errno;

	if (fd < 0)
		fd = connect_to((const struct sockaddr *)&six, sizeof(six), timeout_ms);
	if (fd < 0)
		errno = err;
	return fd;
}

/* What comes from the port, as STDOUT frames: an empty one at its end, or a REPLY with the errno of its failure. */
static void from_port(int conn, int port)
{
	static uint8_t piece[PIECE_BYTES];
	ssize_t n;

	while ((n = recv(port, piece, sizeof(piece), 0)) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && conn_send(conn, FRAME_STDOUT, piece, (uint32_t)n) != 0)
			return;
	}
	if (n == 0) {
		conn_send(conn, FRAME_STDOUT, piece, 0);
		return;
	}
	put_u32(piece, (uint32_t)errno);
	conn_send(conn, FRAME_REPLY, piece, 4);
}

static bool send_all(int fd, const uint8_t *data, uint32_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		data += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (uint32_t)n;
	}
	return true;
}

/* What the client says, until it leaves. What a port does not take any more is dropped: the other way tells why. */
static void to_port(int conn, int port)
{
	uint8_t type, *payload;
	uint32_t len;
	bool taken = true;

	while (conn_read_frame(conn, &type, &payload, &len, FRAME_MAX_BYTES) == 1) {
		if (type == FRAME_STDIN)
			taken = taken && send_all(port, payload, len);
		else if (type == FRAME_STDIN_EOF)
			shutdown(port, SHUT_WR);
		free(payload);
	}
}

int do_relay_port(struct run *run, const struct op_relay_port *op)
{
	int port = connect_loopback((uint16_t)op->port, op->timeout_ms);
	pid_t self = getpid(), child;

	if (port < 0)
		return fail(run, errno, "port %u", op->port);
	if (report_send(run, PHASE_CREATED) != 0)
		_exit(0);
	/* A process for each way, so that neither waits for the other. The second ends with the first. */
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == self)
			from_port(run->conn, port);
		_exit(0);
	}
	if (child > 0)
		to_port(run->conn, port);
	_exit(0);
}
