/* Reading operations of a file session: answers are DATA frames. */
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK (256u << 10)
#define STAT_BYTES 52u

int file_read(struct files *f, const struct op_file_read *op)
{
	autoclose path = open_in_root(f->root, op->path, 0, 0, CREATE_NO);
	autoclose fd = -1;
	char number[16];
	struct stat st;
	uint8_t *chunk;
	uint64_t total = 0;
	ssize_t n = 0;

	if (path < 0 || fstat(path, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	if ((uint64_t)st.st_size > op->limit) {
		errno = EFBIG;
		return -1;
	}
	/* That very file, and not what lies at the path by now: to open a device is an action already. O_NONBLOCK: no lease holds us. */
	snprintf(number, sizeof(number), "%d", path);
	fd = openat(f->run->self_fds, number, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	chunk = fd >= 0 ? malloc(CHUNK) : NULL;
	if (!chunk)
		return -1;
	while ((n = read(fd, chunk, CHUNK)) > 0) {
		total += (uint64_t)n;
		if (total > op->limit || conn_send(f->run->conn, FRAME_DATA, chunk, (uint32_t)n) != 0) {
			errno = total > op->limit ? EFBIG : errno;
			n = -1;
			break;
		}
	}
	free(chunk);
	return n < 0 ? -1 : 0;
}

static uint8_t *put(uint8_t *p, const void *value, size_t len)
{
	memcpy(p, value, len);
	return p + len;
}

int file_stat(struct files *f, const struct op_file_stat *op)
{
	autoclose fd = op->follow ? open_in_root(f->root, op->path, 0, 0, CREATE_NO) : -1;
	char name[256] = ".";
	uint8_t answer[STAT_BYTES + PROGRAM_MAX_PATH], *p = answer;
	struct stat st;
	ssize_t target = 0;
	int dir = -1;

	if (!op->follow) {
		dir = names_root(op->path) ? f->root : files_find_parent(f, op->path, name);
		if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return -1;
	} else if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	p = put(p, &(uint32_t){ st.st_mode }, 4);
	p = put(p, &(uint32_t){ st.st_uid }, 4);
	p = put(p, &(uint32_t){ st.st_gid }, 4);
	p = put(p, &(uint64_t){ (uint64_t)st.st_size }, 8);
	p = put(p, &(int64_t){ to_ns(st.st_mtim) }, 8);
	p = put(p, &(uint64_t){ st.st_rdev }, 8);
	p = put(p, &(uint64_t){ st.st_ino }, 8);
	p = put(p, &(uint64_t){ st.st_nlink }, 8);
	if (S_ISLNK(st.st_mode) && !op->follow)
		target = readlinkat(dir, name, (char *)p, PROGRAM_MAX_PATH);
	return conn_send(f->run->conn, FRAME_DATA, answer, STAT_BYTES + (uint32_t)(target > 0 ? target : 0));
}

int file_list(struct files *f, const struct op_file_list *op)
{
	autoclose path = open_in_root(f->root, op->path, O_DIRECTORY, 0, CREATE_NO);
	DIR *stream = path >= 0 ? open_directory(path, ".") : NULL;
	uint8_t *chunk = stream ? malloc(CHUNK) : NULL;
	struct dirent *entry;
	uint32_t used = 0;
	int result = 0;

	while (chunk && result == 0 && (errno = 0, entry = readdir(stream))) {
		uint16_t len = (uint16_t)strlen(entry->d_name);

		if (is_dots(entry->d_name))
			continue;
		chunk[used] = entry->d_type;
		memcpy(chunk + used + 1, &len, 2);
		memcpy(chunk + used + 3, entry->d_name, len);
		used += 3u + len;
		if (used > CHUNK - 512) {
			result = conn_send(f->run->conn, FRAME_DATA, chunk, used);
			used = 0;
		}
	}
	if (chunk && result == 0 && errno != 0)
		result = -1;
	if (chunk && result == 0 && used > 0)
		result = conn_send(f->run->conn, FRAME_DATA, chunk, used);
	if (!chunk)
		result = -1;
	free(chunk);
	if (stream)
		closedir(stream);
	return result;
}
