/* Frames on a connection (docs/CONTRACTS.md, "Connection protocol"), blocking. */
#include "monitor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void put_u32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

void put_u64(uint8_t *p, uint64_t value)
{
	put_u32(p, (uint32_t)value);
	put_u32(p + 4, (uint32_t)(value >> 32));
}

uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void frame_header(uint8_t header[FRAME_HEADER], uint8_t type, uint32_t len)
{
	const uint8_t bytes[FRAME_HEADER] = { type, 0, 0, 0, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };

	memcpy(header, bytes, FRAME_HEADER);
}

uint32_t frame_length(const uint8_t header[FRAME_HEADER])
{
	return (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];
}

int conn_read_full(int fd, void *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = recv(fd, (uint8_t *)data + have, len - have, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && have > 0)
			errno = EPIPE; /* the connection ended inside a frame */
		if (n <= 0)
			return n == 0 && have == 0 ? 0 : -1;
		have += (size_t)n;
	}
	return 1;
}

int conn_read_frame(int fd, uint8_t *type, uint8_t **payload, uint32_t *len, uint32_t max)
{
	uint8_t header[FRAME_HEADER];
	int result = conn_read_full(fd, header, sizeof(header));

	if (result != 1)
		return result;
	*type = header[0];
	*len = frame_length(header);
	if (*len > max) {
		errno = EMSGSIZE;
		return -1;
	}
	*payload = malloc(*len ? *len : 1);
	if (!*payload)
		return -1;
	if (*len == 0 || conn_read_full(fd, *payload, *len) == 1)
		return 1;
	free(*payload);
	*payload = NULL;
	return -1;
}

int conn_send(int fd, uint8_t type, const void *payload, uint32_t len)
{
	uint8_t header[FRAME_HEADER];
	size_t sent = 0, total = FRAME_HEADER + (size_t)len;

	frame_header(header, type, len);
	while (sent < total) {
		size_t skip = sent > FRAME_HEADER ? sent - FRAME_HEADER : 0;
		struct iovec iov[2] = { { header, FRAME_HEADER }, { (uint8_t *)(uintptr_t)payload + skip, len - skip } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
		ssize_t n;

		if (sent < FRAME_HEADER)
			iov[0] = (struct iovec){ header + sent, FRAME_HEADER - sent };
		else
			msg = (struct msghdr){ .msg_iov = iov + 1, .msg_iovlen = 1 };
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -1;
		sent += n < 0 ? 0 : (size_t)n;
	}
	return 0;
}
