/* Packets between monitor and init over one SOCK_SEQPACKET pair: hand-over, start, failure, the pty. */
#include "strake.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int send_descriptor(int socket, const void *data, size_t len, int fd)
{
	return send_descriptor_passing(socket, data, len, fd, 0);
}

int send_descriptor_passing(int socket, const void *data, size_t len, int fd, uint64_t pass)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.bytes);
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	do
		n = syscall(SYS_sendmsg, socket, &message, MSG_NOSIGNAL, pass);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

ssize_t receive_descriptor(int socket, void *data, size_t len, int *fd)
{
	struct iovec iov = { data, len };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&header) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return n;
}

int sync_send(struct run *run, enum sync_kind kind, uint32_t index, int err, const char *detail, int fd)
{
	struct sync_msg msg = { .kind = (uint32_t)kind, .index = index, .err = err };
	size_t len = offsetof(struct sync_msg, detail);

	if (detail)
		len += (size_t)snprintf(msg.detail, sizeof(msg.detail), "%.*s", DETAIL_MAX - 1, detail) + 1;
	return send_descriptor(run->sync_fd, &msg, len, fd);
}

/* One packet, with a descriptor in *FD or -1. Its size, 0 at the end, -1: errno. */
static ssize_t sync_packet(struct run *run, struct sync_msg *msg, int *fd)
{
	ssize_t n = receive_descriptor(run->sync_fd, msg, sizeof(*msg), fd);

	/* It died with something of ours unread. */
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n >= 0 && (size_t)n < offsetof(struct sync_msg, detail))
		return 0;
	if (n > 0 && (size_t)n > offsetof(struct sync_msg, detail))
		msg->detail[(size_t)n - offsetof(struct sync_msg, detail) - 1] = '\0';
	else if (n > 0)
		msg->detail[0] = '\0';
	return n;
}

/* The init's end of sync_fd is closed: it has executed, or it died. */
static int sync_ended(struct run *run)
{
	close_fd(&run->sync_fd);
	if (run->exec_sent) {
		for (uint32_t i = 0; run->ns && i < run->nops; i++)
			if (run->ops[i].code == OP_EXEC)
				run->ns[i] = monotonic_ns() - run->ns[i];
		return 0;
	}
	fail(run, EPIPE, "the first process was killed while it was set up");
	return 0;
}

int sync_receive(struct run *run)
{
	struct sync_msg msg;
	int fd;
	ssize_t n = sync_packet(run, &msg, &fd);

	if (n < 0)
		return -1;
	if (n == 0)
		return sync_ended(run);
	switch ((enum sync_kind)msg.kind) {
	case SYNC_PTY:
		close_fd(&run->pty_master);
		run->pty_master = fd;
		return SYNC_PTY;
	case SYNC_EXEC:
		run->exec_sent = true;
		break;
	case SYNC_FAILED:
		run->current = msg.index;
		fail(run, msg.err, "%s", msg.detail);
		break;
	case SYNC_LISTENER:
		run->current = msg.index;
		if (fd >= 0 && msg.index < run->nops && run->ops[msg.index].code == OP_SECCOMP)
			listener_hand_over(run, &run->ops[msg.index].args.seccomp, fd);
		else if (fd >= 0 && msg.index < run->nops && run->ops[msg.index].code == OP_LEARN)
			learn_start(run, &run->ops[msg.index].args.learn, fd);
		else
			fail(run, EPROTO, "seccomp listener");
		if (run->failed.index != NO_OP)
			msg.kind = SYNC_FAILED;
		break;
	default:
		run->current = msg.index;
		break;
	}
	close_fd(&fd);
	return (int)msg.kind;
}

void sync_await(struct run *run, enum sync_kind kind)
{
	struct sync_msg msg;
	int fd;

	if (sync_packet(run, &msg, &fd) <= 0 || msg.kind != (uint32_t)kind)
		_exit(1);
	close_fd(&fd);
	run->current = msg.index;
}
