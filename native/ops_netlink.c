/* Netlink: messages that TypeScript has encoded, sent in a network namespace of choice, every acknowledgement checked. */
#include "strake.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#define REPLY_WANTED 1u
#define IGNORE_EXISTS 2u
#define IGNORE_MISSING 4u
#define ANSWER_TIMEOUT_S 10
#define ANSWER_BYTES 65536u /* at least a page and 8 KiB: what the kernel puts into one datagram (netlink(7)) */

/* Puts VALUE at each of OFFSETS (u32 each) of the message. False: malformed. */
static bool fill_in(const struct op_netlink *op, const struct op_bytes *offsets, uint32_t value, uint8_t *message)
{
	for (uint32_t i = 0; i + 4 <= offsets->len; i += 4) {
		uint32_t offset;

		memcpy(&offset, offsets->p + i, 4);
		if (op->message.len < 4 || offset > op->message.len - 4)
			return false;
		memcpy(message + offset, &value, 4);
	}
	return true;
}

/* The index of the interface that the operation names, in the namespace that this process is in now. 0 with errno: there is none. */
static uint32_t link_index(const struct op_netlink *op)
{
	struct ifreq request = { 0 };
	autoclose fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (op->link.len == 0 || op->link.len >= sizeof(request.ifr_name)) {
		errno = EINVAL;
		return 0;
	}
	memcpy(request.ifr_name, op->link.p, op->link.len);
	return fd >= 0 && ioctl(fd, SIOCGIFINDEX, &request) == 0 ? (uint32_t)request.ifr_ifindex : 0;
}

/* Copies the message, puts pid, index and descriptor where they belong, and numbers its parts. How many acknowledgements it asks for; -1: malformed. */
static int prepare(const struct run *run, const struct op_netlink *op, uint32_t index, uint8_t *message)
{
	int acks = 0;
	uint32_t sequence = 1;

	memcpy(message, op->message.p, op->message.len);
	if (op->pid_offsets.len > 0 && (run->init_pid == 0 || !fill_in(op, &op->pid_offsets, (uint32_t)run->init_pid, message)))
		return -1;
	if (op->link_offsets.len > 0 && !fill_in(op, &op->link_offsets, index, message))
		return -1;
	if (op->target_offsets.len > 0 && (op->target == NO_SLOT || !fill_in(op, &op->target_offsets, (uint32_t)run->slots[op->target], message)))
		return -1;
	for (uint32_t at = 0; at < op->message.len;) {
		struct nlmsghdr header;

		if (op->message.len - at < sizeof(header))
			return -1;
		memcpy(&header, message + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > op->message.len - at)
			return -1;
		acks += (header.nlmsg_flags & NLM_F_ACK) != 0;
		header.nlmsg_seq = sequence++;
		memcpy(message + at, &header, sizeof(header));
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	return acks;
}

static bool ignored(uint32_t flags, int err)
{
	return (err == EEXIST && flags & IGNORE_EXISTS) || ((err == ENODEV || err == ENOENT) && flags & IGNORE_MISSING);
}

/* Goes through one datagram of answers. Less *WAITING for each acknowledgement; *DONE at the end of a dump. 0, or the errno of a refusal. */
static int take_answers(struct run *run, const struct op_netlink *op, const uint8_t *data, size_t len, int *waiting, bool *done)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= len;) {
		struct nlmsghdr header;
		int32_t code = 0;

		memcpy(&header, data + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len - at)
			return EPROTO;
		if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
			if (header.nlmsg_len >= sizeof(header) + 4)
				memcpy(&code, data + at + sizeof(header), 4);
			if (code < 0 && !ignored(op->flags, -code))
				return -code;
			*waiting -= header.nlmsg_type == NLMSG_ERROR;
			*done |= header.nlmsg_type == NLMSG_DONE;
		} else if (op->flags & REPLY_WANTED && !run->in_init && run->conn >= 0) {
			if (conn_send(run->conn, FRAME_DATA, data + at, header.nlmsg_len) != 0)
				return errno;
		}
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	return 0;
}

static int exchange(struct run *run, const struct op_netlink *op, const uint8_t *message, int acks, uint8_t *answer)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	autoclose fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)op->protocol);
	bool done = acks > 0 || !(op->flags & REPLY_WANTED); /* a dump ends with NLMSG_DONE, everything else with its last acknowledgement */
	ssize_t n;

	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (sendto(fd, message, op->message.len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return errno;
	while (acks > 0 || !done) {
		int err;

		n = recv(fd, answer, ANSWER_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		err = take_answers(run, op, answer, (size_t)n, &acks, &done);
		if (err != 0)
			return err;
	}
	return 0;
}

/* Enters the namespace of the slot; *BACK leads home, -1 when there was no need to leave. */
static int enter_namespace(struct run *run, uint32_t slot, int *back)
{
	*back = -1;
	if (slot == NO_SLOT)
		return 0;
	*back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*back < 0 || setns(run->slots[slot], CLONE_NEWNET) != 0)
		return fail(run, errno, "network namespace of slot %u", slot);
	return 0;
}

int do_netlink(struct run *run, const struct op_netlink *op)
{
	uint8_t *message = malloc((size_t)op->message.len + ANSWER_BYTES);
	autoclose back = -1;
	int acks = -1, err = ENOMEM;

	if (!message)
		return fail(run, ENOMEM, "netlink message");
	if (enter_namespace(run, op->ns, &back) == 0) {
		uint32_t index = op->link_offsets.len > 0 ? link_index(op) : 0;

		if (op->link_offsets.len > 0 && index == 0)
			fail(run, errno, "network device %.*s", (int)op->link.len, (const char *)op->link.p);
		acks = prepare(run, op, index, message);
		err = acks < 0 ? EINVAL : run->failed.index == run->current ? 0 : exchange(run, op, message, acks, message + op->message.len);
		if (err != 0)
			fail(run, err, "netlink protocol %u%s", op->protocol, acks < 0 ? ": malformed message" : "");
	}
	if (back >= 0 && setns(back, CLONE_NEWNET) != 0)
		err = errno, fail(run, err, "return to the network namespace");
	free(message);
	return run->failed.index == run->current ? -1 : 0;
}

int do_lo_up(struct run *run)
{
	struct ifreq request = { .ifr_name = "lo" };
	autoclose fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return fail(run, errno, "loopback interface");
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : fail(run, errno, "loopback interface");
}
