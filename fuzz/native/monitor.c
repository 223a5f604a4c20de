/* What clients send to monitor.sock and over the control connection, in pieces of any size, while the process writes and ends. */
#include "../../native/monitor.h"
#include "target.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENTS 3

static struct run run;
static struct monitor monitor;
static struct op ops[2];
static const struct op_monitor options = { .dir = "/nowhere", .flags = MONITOR_STDIN | MONITOR_STDIN_ONCE };

static int null_device(int flags)
{
	int fd = open("/dev/null", flags | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

void fuzz_start(void)
{
	signal(SIGPIPE, SIG_IGN);
}

/* A monitor of a process that waits for its start, but for the process: signals and sizes have nowhere to go. */
static void begin(void)
{
	run_init(&run, -1);
	memset(&monitor, 0, sizeof(monitor));
	ops[0] = (struct op){ .code = OP_WAIT_START, .side = SIDE_INIT };
	ops[1] = (struct op){ .code = OP_EXEC, .side = SIDE_INIT };
	run.ops = ops;
	run.nops = run.reap = 2;
	run.has_wait_start = true;
	run.monitor = &monitor;
	monitor.run = &run;
	monitor.op = &options;
	monitor.dir = null_device(O_RDONLY);
	monitor.listener = monitor.signals = -1;
	monitor.input = null_device(O_WRONLY);
	monitor.output[0] = monitor.output[1] = -1;
	monitor.looping = true;
}

static void drain(int fd)
{
	static uint8_t nothing[64 << 10];

	while (recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT) > 0)
		;
}

static void end(int peers[CLIENTS])
{
	for (int i = 0; i < CLIENTS; i++)
		close_fd(&peers[i]);
	for (struct client *client = monitor.clients; client; client = client->next)
		client_events(&monitor, client, POLLIN | POLLHUP);
	clients_sweep(&monitor);
	for (struct client *client = monitor.clients; client; client = client->next) /* what is left to send goes nowhere */
		client->gone = client->ended = true;
	clients_sweep(&monitor);
	if (monitor.clients || monitor.nclients != 0)
		abort();
	queue_clear(&monitor.stdin_queue);
	close_fd(&monitor.dir);
	close_fd(&monitor.input);
}

/* Each step: a byte that says what happens and to whom, a byte of how much. */
void fuzz_one(uint8_t *data, size_t len)
{
	int peers[CLIENTS];

	begin();
	for (int i = 0; i < CLIENTS; i++) {
		int pair[2];
		struct client *client;

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
			abort();
		peers[i] = pair[0];
		client = client_add(&monitor, pair[1]);
		if (!client)
			abort();
		client->control = i == 0;
	}
	while (len >= 2) {
		int which = data[0] >> 4;
		int *peer = &peers[which % CLIENTS];
		size_t n = data[1];

		switch (data[0] & 15) {
		case 0:
			clients_output(&monitor, FRAME_STDOUT, data, len);
			n = 0;
			break;
		case 1:
			shutdown(*peer, SHUT_WR);
			n = 0;
			break;
		case 2:
			close_fd(peer);
			n = 0;
			break;
		case 3:
			monitor.exited = true;
			n = 0;
			break;
		case 4:
			drain(*peer);
			n = 0;
			break;
		default:
			n = n < len - 2 ? n : len - 2;
			if (*peer >= 0 && n > 0 && send(*peer, data + 2, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				n = 0;
			break;
		}
		data += 2 + n;
		len -= 2 + n;
		for (struct client *client = monitor.clients; client; client = client->next) {
			int events = client_poll_events(&monitor, client);
			struct pollfd poll_entry = { .fd = client->fd, .events = (short)(events < 0 ? 0 : events) };

			if (events >= 0 && poll(&poll_entry, 1, 0) > 0)
				client_events(&monitor, client, poll_entry.revents);
		}
		clients_sweep(&monitor);
		if (monitor.nclients > CLIENTS || clients_hold(&monitor))
			break;
	}
	end(peers);
}
