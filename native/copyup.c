/* Volume copy-up: what an image has at a volume's mount point goes into the new, empty volume. The source is hostile: it is entered on
 * descriptors, links are copied and never followed, sockets and devices are left out. */
#include "mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define MAX_DEPTH 128
#define COPY_CHUNK (16u << 20)

static int copy_entries(struct run *run, int from, int to, unsigned depth);

static int copy_times_and_owner(int fd, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	/* The owner first: a change of it clears the set-user bits. */
	return fchown(fd, st->st_uid, st->st_gid) == 0 && fchmod(fd, st->st_mode & 07777) == 0 && futimens(fd, times) == 0 ? 0 : -1;
}

static void copy_attributes(int from, int to)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t size = fgetxattr(from, names + i, value, sizeof(value));

		/* Not every filesystem takes every attribute; overlayfs's own must not travel. */
		if (size < 0 || strncmp(names + i, "trusted.overlay.", 16) == 0 || fsetxattr(to, names + i, value, (size_t)size, 0) != 0)
			continue;
	}
}

static int copy_file(int from, int to, off_t size)
{
	off_t left = size;

	while (left > 0) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0);

		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP))
			n = sendfile(to, from, NULL, COPY_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) /* became shorter meanwhile */
			return 0;
		left -= n;
	}
	return 0;
}

static int copy_link(int from, const char *name, int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[PROGRAM_MAX_PATH + 1];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	if (symlinkat(target, to, name) != 0 || fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* 0, or -1 after fail(). */
static int copy_entry(struct run *run, int from, const char *name, int to, unsigned depth)
{
	autoclose source = -1;
	autoclose copy = -1;
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail(run, errno, "copy-up of %s", name);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, name, to, &st) == 0 ? 0 : fail(run, errno, "copy-up of %s", name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) != 0)
		return fail(run, errno, "copy-up of %s", name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return fail(run, EAGAIN, "copy-up of %s: it was exchanged meanwhile", name);
	if (S_ISDIR(st.st_mode)) {
		if (mkdirat(to, name, 0700) != 0)
			return fail(run, errno, "copy-up of %s", name);
		copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (copy < 0 || copy_entries(run, source, copy, depth + 1) != 0)
			return fail(run, errno, "copy-up of %s", name);
	} else {
		copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (copy < 0 || copy_file(source, copy, st.st_size) != 0)
			return fail(run, errno, "copy-up of %s", name);
	}
	copy_attributes(source, copy);
	return copy_times_and_owner(copy, &st) == 0 ? 0 : fail(run, errno, "copy-up of %s", name);
}

static int copy_entries(struct run *run, int from, int to, unsigned depth)
{
	DIR *dir = open_directory(from, ".");
	struct dirent *entry;
	int result = 0;

	if (!dir || depth > MAX_DEPTH) {
		int err = dir ? ELOOP : errno;

		if (dir)
			closedir(dir);
		return fail(run, err, "copy-up: directory at depth %u", depth);
	}
	while (result == 0 && (errno = 0, entry = readdir(dir)))
		if (!is_dots(entry->d_name))
			result = copy_entry(run, from, entry->d_name, to, depth);
	if (result == 0 && errno != 0)
		result = fail(run, errno, "copy-up: listing of a directory at depth %u", depth);
	closedir(dir);
	return result;
}

/* 1 empty, 0 not, -1 errno. */
static int is_empty(int fd)
{
	DIR *dir = open_directory(fd, ".");
	struct dirent *entry;
	int empty = 1;

	if (!dir)
		return -1;
	while (empty && (entry = readdir(dir)))
		empty = is_dots(entry->d_name);
	closedir(dir);
	return empty;
}

int copy_tree(struct run *run, int from, int to)
{
	autoclose source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose copy = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (source < 0 || copy < 0 || fstat(source, &st) != 0)
		return fail(run, errno, "copy-up");
	if (copy_entries(run, source, copy, 0) != 0)
		return -1;
	copy_attributes(source, copy);
	return copy_times_and_owner(copy, &st) == 0 ? 0 : fail(run, errno, "copy-up: owner and mode");
}

int do_copy_up(struct run *run, const struct op_copy_up *op)
{
	int root = root_fd(run, op->root);
	autoclose place = root < 0 ? -1 : open_in_root(root, op->target, 0, 0, CREATE_NO);
	autoclose to = -1;
	struct stat st;
	int empty;

	if (root < 0)
		return -1;
	if (place < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(run, errno, "copy-up of %s", op->target);
	if (fstat(place, &st) != 0 || !S_ISDIR(st.st_mode))
		return 0;
	to = open(op->dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	empty = to < 0 ? -1 : is_empty(to);
	if (empty <= 0)
		return empty == 0 ? 0 : fail(run, errno, "volume %s", op->dest);
	return copy_tree(run, place, to);
}
