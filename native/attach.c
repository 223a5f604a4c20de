/* The monitor's clients: they attach to the output, write stdin, send signals, wait. Nothing here blocks; a client that goes away in the
 * middle of anything costs the others nothing. */
#include "monitor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

struct client *client_add(struct monitor *monitor, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return NULL;
	}
	client->fd = fd;
	client->next = monitor->clients;
	monitor->clients = client;
	monitor->nclients++;
	return client;
}

static void client_gone(struct client *client)
{
	client->gone = true;
	shutdown(client->fd, SHUT_WR); /* it may have received half a frame */
	queue_clear(&client->out);
}

void client_send(struct client *client, uint8_t type, const void *payload, uint32_t len)
{
	uint8_t header[FRAME_HEADER];
	struct iovec iov[2] = { { header, FRAME_HEADER }, { (void *)(uintptr_t)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t sent = 0;

	if (client->gone)
		return;
	frame_header(header, type, len);
	if (queue_length(&client->out) == 0) {
		ssize_t n = sendmsg(client->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			client_gone(client);
			return;
		}
		sent = n > 0 ? (size_t)n : 0;
		client->progress = monotonic_ns();
	}
	if ((sent < FRAME_HEADER && queue_add(&client->out, header + sent, FRAME_HEADER - sent) != 0) ||
	    (sent < FRAME_HEADER + (size_t)len &&
	     queue_add(&client->out, (const uint8_t *)payload + (sent > FRAME_HEADER ? sent - FRAME_HEADER : 0),
		       len - (sent > FRAME_HEADER ? sent - FRAME_HEADER : 0)) != 0))
		client_gone(client); /* a frame cannot be sent in half */
}

static void send_queue(struct client *client)
{
	ssize_t n = send(client->fd, client->out.data + client->out.start, queue_length(&client->out), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		queue_drop(&client->out, (size_t)n);
		client->progress = monotonic_ns();
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_gone(client);
	}
}

static void reply(struct client *client, int err, const char *detail)
{
	uint8_t payload[128];
	size_t n = strnlen(detail, sizeof(payload) - 4);

	put_u32(payload, (uint32_t)err);
	memcpy(payload + 4, detail, n);
	client_send(client, FRAME_REPLY, payload, (uint32_t)(4 + n));
}

void client_send_exit(struct monitor *monitor, struct client *client)
{
	const struct run *run = monitor->run;
	int status = run->init_status;
	uint8_t payload[28];

	put_u32(payload, (uint32_t)exit_code(status));
	put_u32(payload + 4, WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0);
	put_u64(payload + 8, monitor->exit_time);
	put_u32(payload + 16, monitor->oom_kills);
	put_u32(payload + 20, run->cleanup_index);
	put_u32(payload + 24, (uint32_t)run->cleanup_err);
	client_send(client, FRAME_EXIT, payload, sizeof(payload));
}

bool clients_oom(struct monitor *monitor)
{
	bool told = false;

	for (struct client *c = monitor->clients; c; c = c->next)
		if (c->waits && c->attached == 0 && !c->gone) {
			client_send(c, FRAME_OOM, NULL, 0);
			told = true;
		}
	return told;
}

static void attach(struct monitor *monitor, struct client *client, uint32_t flags)
{
	client->attached = flags;
	client->waits = true;
	reply(client, 0, "");
	if (monitor->exited)
		client_send_exit(monitor, client);
}

/* START is answered by a REPORT in any case. */
static void refuse_start(struct monitor *monitor, struct client *client)
{
	const struct run *run = monitor->run;
	struct failure failure = { .index = 0, .err = EALREADY, .detail = "the process does not wait for its start" };
	uint32_t len = 0;
	uint8_t *report;

	while (failure.index + 1 < run->nops && run->ops[failure.index].code != OP_WAIT_START)
		failure.index++;
	report = report_make(run, &failure, PHASE_STARTED, &len);
	client->starter = false;
	if (report)
		client_send(client, FRAME_REPORT, report, len);
	free(report);
}

void clients_refuse_start(struct monitor *monitor)
{
	for (struct client *client = monitor->clients; client; client = client->next)
		if (client->control)
			refuse_start(monitor, client);
}

static void obey(struct monitor *monitor, struct client *client, uint8_t type, const uint8_t *payload, uint32_t len)
{
	switch (type) {
	case FRAME_STDIN:
		if (client->attached & ATTACH_STDIN)
			monitor_stdin(monitor, payload, len);
		return;
	case FRAME_STDIN_EOF:
		if (monitor->source >= 0)
			source_let_end(monitor);
		else if (client->attached & ATTACH_STDIN)
			monitor_stdin_end(monitor);
		return;
	case FRAME_WAIT:
		client->waits = true;
		if (monitor->oom_untold)
			monitor->oom_untold = !clients_oom(monitor);
		if (monitor->exited)
			client_send_exit(monitor, client);
		return;
	case FRAME_START:
		client->starter = true;
		if (monitor_start(monitor, client->control) != 0)
			refuse_start(monitor, client);
		return;
	case FRAME_HAND_OVER:
		if (!client->control)
			break;
		monitor->run->handed_over = true;
		return;
	case FRAME_REOPEN_LOG:
		reply(client, monitor_reopen_log(monitor), "log");
		return;
	case FRAME_ATTACH:
		if (len < 4)
			break;
		attach(monitor, client, get_u32(payload));
		return;
	case FRAME_SIGNAL:
		if (len < 8)
			break;
		reply(client, monitor_signal(monitor, get_u32(payload), get_u32(payload + 4)), "signal");
		return;
	case FRAME_RESIZE:
		if (len < 8)
			break;
		reply(client, monitor_resize(monitor, get_u32(payload), get_u32(payload + 4)), "terminal size");
		return;
	default:
		break;
	}
	reply(client, EPROTO, "unknown frame");
}

/* The client sends no more: it went away, or closed its half. */
static void client_ended(struct monitor *monitor, struct client *client)
{
	uint32_t flags = monitor->op ? monitor->op->flags : 0;

	client->ended = true;
	/* A terminal has no end that its user did not type (moby, container/stream/attach.go: CloseStdin && !TTY). */
	if (client->attached & ATTACH_STDIN && !(client->attached & ATTACH_KEEP) && flags & MONITOR_STDIN_ONCE && !(flags & MONITOR_TERMINAL))
		monitor_stdin_end(monitor);
	if (client->control)
		monitor_control_closed(monitor);
}

/* Reads on with the frame at hand. Whether there may be more to read at once. */
static bool read_some(struct monitor *monitor, struct client *client)
{
	bool in_header = client->have < FRAME_HEADER;
	uint32_t len = in_header ? 0 : frame_length(client->header);
	uint8_t *to = in_header ? client->header + client->have : client->payload + client->have - FRAME_HEADER;
	ssize_t n = recv(client->fd, to, in_header ? FRAME_HEADER - client->have : FRAME_HEADER + len - client->have, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		client_ended(monitor, client);
		return false;
	}
	client->have += (uint32_t)n;
	if (client->have < FRAME_HEADER)
		return false;
	len = frame_length(client->header);
	if (in_header && (len > CLIENT_FRAME_MAX || !(client->payload = malloc(len ? len : 1)))) {
		client_gone(client);
		client_ended(monitor, client);
		return false;
	}
	if (client->have < FRAME_HEADER + len)
		return true;
	obey(monitor, client, client->header[0], client->payload, len);
	free(client->payload);
	client->payload = NULL;
	client->have = 0;
	return true;
}

static bool stdin_held(const struct monitor *monitor, const struct client *client)
{
	return client->attached & ATTACH_STDIN && queue_length(&monitor->stdin_queue) > STDIN_QUEUE_MAX;
}

int client_poll_events(const struct monitor *monitor, const struct client *client)
{
	int events = 0;

	if (!client->ended && !stdin_held(monitor, client))
		events |= POLLIN;
	if (queue_length(&client->out) > 0)
		events |= POLLOUT;
	/* A held client that has hung up would wake the loop forever. */
	return events == 0 && client->gone ? -1 : events;
}

void client_events(struct monitor *monitor, struct client *client, short revents)
{
	if (revents & POLLOUT && queue_length(&client->out) > 0)
		send_queue(client);
	if (revents & (POLLHUP | POLLERR | POLLNVAL))
		client_gone(client);
	/* At most a few frames a round: others want to be heard too. */
	for (int i = 0; i < 8 && revents & (POLLIN | POLLHUP | POLLERR) && !client->ended && !stdin_held(monitor, client); i++)
		if (!read_some(monitor, client))
			break;
}

void clients_sweep(struct monitor *monitor)
{
	for (struct client **link = &monitor->clients; *link;) {
		struct client *client = *link;
		/* Who closed its half and waits for nothing has nothing to stay for. */
		bool idle = client->ended && !client->waits && !client->starter && queue_length(&client->out) == 0;

		if (!(client->gone && client->ended) && !idle) {
			link = &client->next;
			continue;
		}
		*link = client->next;
		monitor->nclients--;
		if (client->control)
			monitor->run->conn = -1;
		close(client->fd);
		queue_clear(&client->out);
		free(client->payload);
		free(client);
	}
}

void clients_output(struct monitor *monitor, uint8_t stream, const uint8_t *data, size_t len)
{
	uint32_t flag = stream == FRAME_STDOUT ? ATTACH_STDOUT : ATTACH_STDERR;

	for (struct client *client = monitor->clients; client; client = client->next)
		if (client->attached & flag)
			client_send(client, stream, data, (uint32_t)len);
}

bool clients_hold(const struct monitor *monitor)
{
	for (const struct client *client = monitor->clients; client; client = client->next)
		if (queue_length(&client->out) > CLIENT_QUEUE_MAX)
			return true;
	return false;
}

int clients_report(struct monitor *monitor, const uint8_t *report, uint32_t len)
{
	for (struct client *client = monitor->clients; client; client = client->next) {
		if (client->control || client->starter)
			client_send(client, FRAME_REPORT, report, len);
		client->starter = false;
	}
	return 0;
}
