/* Operations on files of the host: descriptors and directories. Their paths come from the client, not from an image. */
#include "files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int put_slot(struct run *run, uint32_t slot, int fd)
{
	if (slot == NO_SLOT) {
		close(fd);
		return fail(run, EINVAL, "no slot to open into");
	}
	close_fd(&run->slots[slot]);
	run->slots[slot] = fd;
	return 0;
}

int do_open(struct run *run, const struct op_open *op)
{
	int fd;

	if (op->dir != NO_SLOT && run->slots[op->dir] < 0)
		return fail(run, EBADF, "%s: directory slot %u is empty", op->path, op->dir);
	fd = sys_openat2(op->dir == NO_SLOT ? AT_FDCWD : run->slots[op->dir], op->path, op->flags, op->flags & O_CREAT ? op->mode : 0,
			 op->dir == NO_SLOT ? 0 : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fail(run, errno, "open %s", op->path);
	return put_slot(run, op->out, fd);
}

int do_close(struct run *run, const struct op_close *op)
{
	if (op->fd != NO_SLOT)
		close_fd(&run->slots[op->fd]);
	return 0;
}

int do_connect_unix(struct run *run, const struct op_connect_unix *op)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(op->path);
	int fd;

	if (length >= sizeof(address.sun_path))
		return fail(run, ENAMETOOLONG, "%s", op->path);
	memcpy(address.sun_path, op->path, length);
	/* @NAME is an abstract socket, as callers write it who know it from Go. */
	if (op->path[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		int err = errno;

		close_fd(&fd);
		return fail(run, err, "connect to %s", op->path);
	}
	return put_slot(run, op->out, fd);
}

/* Gives PATH to OWNER; a kernel that has no such file has nothing to give. */
static int give(const char *path, uint32_t owner)
{
	return fchownat(AT_FDCWD, path, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT ? 0 : -1;
}

int do_mkdir(struct run *run, const struct op_mkdir *op)
{
	char path[PROGRAM_MAX_PATH + 256];

	if (make_directories(op->path, op->mode) != 0)
		return fail(run, errno, "mkdir %s", op->path);
	if (op->owner == 0)
		return 0;
	if (give(op->path, op->owner) != 0)
		return fail(run, errno, "chown %s", op->path);
	for (uint32_t i = 0; i < op->delegate.n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", op->path, op->delegate.v[i]) >= (int)sizeof(path))
			return fail(run, ENAMETOOLONG, "%s", op->path);
		if (give(path, op->owner) != 0)
			return fail(run, errno, "chown %s", path);
	}
	return 0;
}

enum { WRITE_IGNORE_MISSING = 1, WRITE_IGNORE_FAILURE = 2, WRITE_CREATE = 4, WRITE_FIFO = 8, WRITE_LINES = 16 };

/* Control files take one setting a write: each line goes by itself, over one descriptor. 0 or -1 (errno, LINE is what was refused);
 * with ANYWAY a refused line does not stop the rest. */
static int write_lines(int fd, struct op_bytes *line, bool anyway)
{
	const uint8_t *end = line->p + line->len;
	autoclose file = fd;

	for (const uint8_t *p = line->p; file >= 0 && p < end; p += line->len + 1) {
		const uint8_t *feed = memchr(p, '\n', (size_t)(end - p));

		*line = (struct op_bytes){ .p = p, .len = (uint32_t)((feed ? feed : end) - p) };
		if (line->len > 0 && write(file, p, line->len) != (ssize_t)line->len && !anyway)
			return -1;
	}
	return file < 0 ? -1 : 0;
}

int do_write_file(struct run *run, const struct op_write_file *op)
{
	int flags = O_WRONLY | O_CLOEXEC | (op->flags & WRITE_CREATE ? O_CREAT | O_TRUNC : 0) | (op->flags & WRITE_FIFO ? O_NONBLOCK : 0);
	const char *path = op->path;
	struct op_bytes data = op->data;
	int fd = open(path, flags, 0644);

	if (fd < 0 && errno == ENOENT && op->else_path[0]) {
		path = op->else_path;
		data = op->else_data;
		fd = open(path, flags, 0644);
	}
	if ((op->flags & WRITE_LINES ? write_lines(fd, &data, op->flags & WRITE_IGNORE_FAILURE) : write_fd(fd, data.p, data.len)) == 0)
		return 0;
	if (op->flags & WRITE_IGNORE_FAILURE || (op->flags & WRITE_IGNORE_MISSING && errno == ENOENT))
		return 0;
	return fail(run, errno, "write %.*s to %s", (int)(data.len < 64 ? data.len : 64), (const char *)data.p, path);
}

int do_unlink(struct run *run, const struct op_unlink *op)
{
	return unlink(op->path) == 0 || errno == ENOENT ? 0 : fail(run, errno, "unlink %s", op->path);
}

int do_remove_dir(struct run *run, const struct op_remove_dir *op)
{
	char parent[PROGRAM_MAX_PATH + 1];
	const char *slash = strrchr(op->path, '/');
	autoclose dir = -1;

	snprintf(parent, sizeof(parent), "%.*s/", slash ? (int)(slash - op->path) : 0, op->path);
	/* By its parent: the removal crosses no mount below it. */
	dir = slash ? open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	if ((dir < 0 && slash && errno == ENOENT) || remove_tree(dir, slash ? slash + 1 : op->path) == 0)
		return 0;
	return fail(run, errno, "removal of %s", op->path);
}
