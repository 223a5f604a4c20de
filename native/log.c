/* The container's log: Docker's json-file (a JSON object a line, rotated here) and the CRI format (rotated by the kubelet).
 * Formats: moby daemon/logger/jsonfilelog and loggerutils/logfile.go; Kubernetes, "CRI container log format". */
#include "monitor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LINE_MAX_BYTES 16384u /* moby daemon/logger/copier.go and containerd's max_container_log_line_size */
#define ENCODED_MAX (6 * LINE_MAX_BYTES + 128u) /* every byte as \u00XX, and the frame around it */
#define BUFFER_BYTES (ENCODED_MAX + (32u << 10))
enum { DRIVER_JSON = 0, DRIVER_CRI = 1 };

struct stream {
	uint8_t line[LINE_MAX_BYTES];
	uint32_t len;
	bool partial; /* earlier parts of this line are written */
	struct timespec time; /* of the first part: the others carry it too */
};

struct log {
	int dir, fd;
	char *name;
	uint32_t driver, max_files;
	uint64_t max_size, size; /* size counts what is in the buffer too */
	struct stream streams[2];
	uint8_t buffer[BUFFER_BYTES]; /* whole lines only */
	size_t used;
	time_t second; /* that SECOND_TEXT says */
	char second_text[24];
};

static int open_file(const struct log *log, int flags)
{
	return openat(log->dir, log->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0640);
}

static int take_file(struct log *log, int fd)
{
	struct stat st;

	if (fd < 0)
		return -1;
	close_fd(&log->fd);
	log->fd = fd;
	log->size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

struct log *log_open(const char *path, uint32_t driver, uint64_t max_size, uint32_t max_files)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	struct log *log = calloc(1, sizeof(*log));
	int saved;

	if (!dir || !log)
		return NULL;
	log->fd = -1;
	log->driver = driver;
	log->max_size = max_size;
	log->max_files = max_files;
	log->second = -1;
	log->name = strdup(slash ? slash + 1 : path);
	log->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (log->dir >= 0 && log->name && take_file(log, open_file(log, 0)) == 0)
		return log;
	saved = errno;
	log_close(log);
	errno = saved;
	return NULL;
}

/* All of the buffer in one write. What the disk does not take is dropped, and so is the line that it tore. */
static void write_buffer(struct log *log)
{
	uint64_t before = log->size - log->used;
	size_t used = log->used;
	ssize_t n;

	log->used = 0;
	if (used == 0)
		return;
	do
		n = write(log->fd, log->buffer, used);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)used)
		return;
	while (n > 0 && log->buffer[n - 1] != '\n')
		n--;
	log->size = before + (n > 0 ? (uint64_t)n : 0);
	if (ftruncate(log->fd, (off_t)log->size) != 0)
		log->size = before + used;
}

/* FILE.1 … FILE.(max_files-1), the oldest last, as moby's logfile.go; with one file it starts over. */
static void rotate(struct log *log)
{
	char from[300], to[300];
	int fd;

	write_buffer(log);
	if (log->max_files < 2) {
		if (ftruncate(log->fd, 0) == 0)
			log->size = 0;
		return;
	}
	for (uint32_t i = log->max_files - 1; i > 0; i--) {
		snprintf(to, sizeof(to), "%.255s.%u", log->name, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%.255s.%u", log->name, i - 1);
		else
			snprintf(from, sizeof(from), "%.255s", log->name);
		renameat(log->dir, from, log->dir, to);
	}
	fd = open_file(log, O_TRUNC);
	if (take_file(log, fd) != 0)
		log->size = 0; /* goes on in the old file: tried again after max_size more bytes */
}

static void put(struct log *log, const void *data, size_t len)
{
	memcpy(log->buffer + log->used, data, len);
	log->used += len;
}

static void put_text(struct log *log, const char *text)
{
	put(log, text, strlen(text));
}

/* RFC3339Nano as Go prints it: UTC, trailing zeros of the fraction left out. */
static void put_time(struct log *log, const struct timespec *time)
{
	char fraction[16];
	int n;

	if (time->tv_sec != log->second) {
		struct tm tm;

		gmtime_r(&time->tv_sec, &tm);
		strftime(log->second_text, sizeof(log->second_text), "%Y-%m-%dT%H:%M:%S", &tm);
		log->second = time->tv_sec;
	}
	put_text(log, log->second_text);
	n = snprintf(fraction, sizeof(fraction), ".%09ld", time->tv_nsec);
	while (n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'))
		n--;
	put(log, fraction, (size_t)n);
	put(log, "Z", 1);
}

/* Length of the UTF-8 sequence at P (Unicode 15, table 3-7), 0 when it is not one, -1 when LEN cuts it off. */
static int utf8_length(const uint8_t *p, size_t len)
{
	static const uint8_t low[] = { [0xe0 - 0xc2] = 0xa0, [0xf0 - 0xc2] = 0x90 };
	uint8_t min = 0x80, max = 0xbf;
	int n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n > 1 && (size_t)(p[0] - 0xc2) < sizeof(low) && low[p[0] - 0xc2])
		min = low[p[0] - 0xc2];
	if (p[0] == 0xed)
		max = 0x9f; /* surrogates */
	if (p[0] == 0xf4)
		max = 0x8f;
	for (int i = 1; i < n; i++) {
		if ((size_t)i >= len)
			return -1;
		if (p[i] < min || p[i] > max)
			return 0;
		min = 0x80;
		max = 0xbf;
	}
	return n;
}

/* As moby's jsonlog writes it: Go's escapes for HTML, \n and \r by letter, other control characters by number. */
static void put_json_text(struct log *log, const uint8_t *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len;) {
		size_t plain = i;
		int n;

		while (i < len && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\' && p[i] != '<' && p[i] != '>' && p[i] != '&')
			i++;
		put(log, p + plain, i - plain);
		if (i == len)
			break;
		if (p[i] < 0x80) {
			const char escaped[6] = { '\\', 'u', '0', '0', hex[p[i] >> 4], hex[p[i] & 15] };
			const char letter[2] = { '\\', p[i] == '\n' ? 'n' : p[i] == '\r' ? 'r' : (char)p[i] };

			if (p[i] == '"' || p[i] == '\\' || p[i] == '\n' || p[i] == '\r')
				put(log, letter, sizeof(letter));
			else
				put(log, escaped, sizeof(escaped));
			i++;
			continue;
		}
		n = utf8_length(p + i, len - i);
		if (n <= 0)
			put_text(log, "\\ufffd");
		else if (n == 3 && p[i] == 0xe2 && p[i + 1] == 0x80 && (p[i + 2] | 1) == 0xa9) /* U+2028, U+2029 */
			put_text(log, p[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
		else
			put(log, p + i, (size_t)n);
		i += n <= 0 ? 1 : (size_t)n;
	}
}

/* Writes the line that STREAM holds, or the part of it up to LEN. */
static void emit(struct log *log, uint8_t number, uint32_t len, bool whole)
{
	struct stream *stream = &log->streams[number - FRAME_STDOUT];
	const char *name = number == FRAME_STDOUT ? "stdout" : "stderr";

	if (!stream->partial)
		clock_gettime(CLOCK_REALTIME, &stream->time);
	if (log->max_size > 0 && log->size >= log->max_size)
		rotate(log);
	if (log->used + ENCODED_MAX > BUFFER_BYTES)
		write_buffer(log);
	log->size -= log->used;
	if (log->driver == DRIVER_JSON) {
		put_text(log, "{\"log\":\"");
		put_json_text(log, stream->line, len);
		put_text(log, whole ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
		put_text(log, name);
		put_text(log, "\",\"time\":\"");
		put_time(log, &stream->time);
		put_text(log, "\"}\n");
	} else {
		put_time(log, &stream->time);
		put(log, " ", 1);
		put_text(log, name);
		put_text(log, whole ? " F " : " P ");
		put(log, stream->line, len);
		put(log, "\n", 1);
	}
	log->size += log->used;
	stream->len -= len;
	if (stream->len > 0)
		memmove(stream->line, stream->line + len, stream->len);
	stream->partial = !whole;
}

/* Where to cut a full line: not inside a character. */
static uint32_t cut(const struct stream *stream)
{
	for (uint32_t back = 1; back < 4; back++)
		if (stream->line[stream->len - back] >= 0xc0)
			return utf8_length(stream->line + stream->len - back, back) < 0 ? stream->len - back : stream->len;
	return stream->len;
}

void log_write(struct log *log, uint8_t number, const uint8_t *data, size_t len)
{
	struct stream *stream;

	if (!log)
		return;
	stream = &log->streams[number - FRAME_STDOUT];
	while (len > 0) {
		size_t room = LINE_MAX_BYTES - stream->len;
		const uint8_t *newline = memchr(data, '\n', len < room ? len : room);
		size_t n = newline ? (size_t)(newline - data) : len < room ? len : room;

		memcpy(stream->line + stream->len, data, n);
		stream->len += (uint32_t)n;
		data += n + (newline != NULL);
		len -= n + (newline != NULL);
		if (newline)
			emit(log, number, stream->len, true);
		/* Docker cuts at 16 KiB even when the newline is next; containerd looks at it first. */
		else if (stream->len == LINE_MAX_BYTES && log->driver == DRIVER_CRI && len > 0 && *data == '\n')
			emit(log, number, stream->len, true), data++, len--;
		else if (stream->len == LINE_MAX_BYTES && (log->driver == DRIVER_JSON || len > 0))
			emit(log, number, cut(stream), false);
	}
	write_buffer(log);
}

void log_flush(struct log *log)
{
	if (!log)
		return;
	for (uint8_t number = FRAME_STDOUT; number <= FRAME_STDERR; number++)
		if (log->streams[number - FRAME_STDOUT].len > 0)
			emit(log, number, log->streams[number - FRAME_STDOUT].len, false);
	write_buffer(log);
}

int log_reopen(struct log *log)
{
	return take_file(log, open_file(log, 0));
}

void log_close(struct log *log)
{
	if (!log)
		return;
	close_fd(&log->fd);
	close_fd(&log->dir);
	free(log->name);
	free(log);
}
