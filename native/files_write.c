/* Writing operations of a file session. The last name is never followed; what stands in the way of a new entry is removed. */
#include "files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define SPARSE_BLOCK 4096u

static struct timespec to_timespec(int64_t ns)
{
	int64_t seconds = ns / 1000000000, rest = ns % 1000000000;

	if (rest < 0) {
		seconds--;
		rest += 1000000000;
	}
	return (struct timespec){ .tv_sec = seconds, .tv_nsec = rest };
}

/* -1 leaves the time alone. */
static int set_mtime(int dir, const char *name, int64_t ns)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, to_timespec(ns) };

	return ns == -1 ? 0 : utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int set_mode(int dir, const char *name, uint32_t mode)
{
	struct stat st;

	if (syscall(SYS_fchmodat2, dir, name, mode & 07777, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOSYS) /* Linux < 6.6 */
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	return fchmodat(dir, name, mode & 07777, 0);
}

/* Removes what is at NAME, so that it can be made anew. */
static int clear_way(struct files *f, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0);
	if (f->keep_kinds) {
		errno = EISDIR;
		return -1;
	}
	if (remove_tree(dir, name) != 0)
		return -1;
	files_forget_parent(f);
	return 0;
}

static int remember_made(struct files *f, int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? inode_set_add(&f->made, st.st_ino) : -1;
}

static int delay_time(struct files *f, const char *path, int64_t ns)
{
	if (ns == -1)
		return 0;
	if (f->ntimes == f->times_size) {
		size_t size = f->times_size ? 2 * f->times_size : 64;
		struct directory_time *grown = realloc(f->times, size * sizeof(*grown));

		if (!grown)
			return -1;
		f->times = grown;
		f->times_size = size;
	}
	f->times[f->ntimes].path = strdup(path);
	f->times[f->ntimes].ns = ns;
	return f->times[f->ntimes].path ? (f->ntimes++, 0) : -1;
}

bool names_root(const char *path)
{
	return path[strspn(path, "./")] == '\0' && !strstr(path, "..");
}

int file_dir(struct files *f, const struct op_file_dir *op)
{
	char name[256] = ".";
	struct stat st;
	int dir = names_root(op->path) ? f->root : files_parent(f, op->path, name);

	if (dir < 0)
		return -1;
	if (dir != f->root || strcmp(name, ".") != 0) {
		int made = mkdirat(dir, name, 0700);

		if (made != 0 && errno == EEXIST && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode)) {
			if (f->keep_kinds) {
				errno = ENOTDIR;
				return -1;
			}
			files_forget_parent(f); /* a link that parents may have passed through goes away */
			dir = files_parent(f, op->path, name);
			made = dir < 0 || unlinkat(dir, name, 0) != 0 ? -1 : mkdirat(dir, name, 0700);
		}
		if (made != 0 && errno != EEXIST)
			return -1;
		if (made == 0 && remember_made(f, dir, name) != 0)
			return -1;
	}
	if (fchownat(dir, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) != 0 || set_mode(dir, name, op->mode) != 0)
		return -1;
	return delay_time(f, op->path, op->mtime);
}

/* The file is whole: mode last, because writing and chown take setuid bits away. */
static int finish_file(struct files *f)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, to_timespec(f->file_mtime) };
	int result = 0;

	/* Behind a hole there may be nothing that makes the file as long as it is. */
	if (f->file_sparse)
		result = ftruncate(f->file_fd, lseek(f->file_fd, 0, SEEK_CUR));
	if (result == 0 && f->file_chmod)
		result = fchmod(f->file_fd, f->file_mode & 07777);
	if (result == 0 && f->file_mtime != -1)
		result = futimens(f->file_fd, times);
	close_fd(&f->file_fd);
	return result;
}

int file_create(struct files *f, const struct op_file_create *op)
{
	char name[256];
	struct stat st;
	uint32_t mode = op->mode & 07777;
	int dir = files_parent(f, op->path, name);

	if (dir < 0)
		return -1;
	for (int tries = 0; tries < 2; tries++) {
		/* Each change of an inode costs as much as making it: most are right from the start. */
		f->file_fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 07000 ? 0600 : mode);
		if (f->file_fd >= 0 || errno != EEXIST)
			break;
		if (clear_way(f, dir, name) != 0)
			return -1;
		dir = files_parent(f, op->path, name);
		if (dir < 0)
			return -1;
	}
	if (f->file_fd < 0 || fstat(f->file_fd, &st) != 0 || inode_set_add(&f->made, st.st_ino) != 0)
		return -1;
	f->file_left = op->size;
	f->file_mode = op->mode;
	f->file_mtime = op->mtime;
	f->file_sparse = f->sparse_data = op->flags & 1;
	f->file_chmod = (st.st_mode & 07777) != mode;
	if ((st.st_uid != op->uid || st.st_gid != op->gid) && fchown(f->file_fd, op->uid, op->gid) != 0)
		return -1;
	return op->size == 0 ? finish_file(f) : 0;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static size_t block(size_t len)
{
	return len < SPARSE_BLOCK ? len : SPARSE_BLOCK;
}

/* How much of DATA is zeros (ZERO), or is not, in whole blocks. */
static size_t run_length(const uint8_t *data, size_t len, bool zero)
{
	size_t n = 0;

	while (n < len && all_zero(data + n, block(len - n)) == zero)
		n += block(len - n);
	return n;
}

static int write_data(struct files *f, const uint8_t *data, size_t len)
{
	while (len > 0) {
		bool hole = f->sparse_data && all_zero(data, block(len));
		size_t part = f->sparse_data ? run_length(data, len, hole) : len;
		ssize_t n;

		if (hole) {
			if (lseek(f->file_fd, (off_t)part, SEEK_CUR) < 0)
				return -1;
			n = (ssize_t)part;
		} else
			n = write(f->file_fd, data, part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_data(struct files *f, const struct op_file_data *op)
{
	if (f->file_fd < 0 || op->data.len > f->file_left) {
		errno = f->file_fd < 0 ? EBADF : EFBIG;
		return -1;
	}
	if (write_data(f, op->data.p, op->data.len) != 0)
		return -1;
	f->file_left -= op->data.len;
	return f->file_left == 0 ? finish_file(f) : 0;
}

int file_hole(struct files *f, const struct op_file_hole *op)
{
	if (f->file_fd < 0 || op->size > f->file_left) {
		errno = f->file_fd < 0 ? EBADF : EFBIG;
		return -1;
	}
	if (lseek(f->file_fd, (off_t)op->size, SEEK_CUR) < 0)
		return -1;
	f->file_sparse = true;
	f->file_left -= op->size;
	return f->file_left == 0 ? finish_file(f) : 0;
}

int file_symlink(struct files *f, const struct op_file_symlink *op)
{
	char name[256];
	int dir = files_parent(f, op->path, name), result;

	if (dir < 0 || clear_way(f, dir, name) != 0)
		return -1;
	dir = files_parent(f, op->path, name);
	if (dir < 0 || symlinkat(op->target, dir, name) != 0)
		return -1;
	result = remember_made(f, dir, name) != 0 || fchownat(dir, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) != 0 || set_mtime(dir, name, op->mtime) != 0 ? -1 : 0;
	return result;
}

int file_link(struct files *f, const struct op_file_link *op)
{
	char name[256], target_name[256];
	autoclose target = open_parent_in_root(f->root, op->target, 0, false, target_name);
	struct stat st, existing;
	int dir;

	if (target < 0 || fstatat(target, target_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	dir = files_parent(f, op->path, name);
	if (dir < 0)
		return -1;
	if (fstatat(dir, name, &existing, AT_SYMLINK_NOFOLLOW) == 0 && existing.st_ino == st.st_ino && existing.st_dev == st.st_dev)
		return 0;
	if (clear_way(f, dir, name) != 0)
		return -1;
	dir = files_parent(f, op->path, name);
	return dir < 0 ? -1 : linkat(target, target_name, dir, name, 0);
}

int file_node(struct files *f, const struct op_file_node *op)
{
	char name[256];
	uint32_t type = op->mode & S_IFMT;
	int dir = files_parent(f, op->path, name);

	if (type != S_IFCHR && type != S_IFBLK && type != S_IFIFO) {
		errno = EINVAL;
		return -1;
	}
	if (dir < 0 || clear_way(f, dir, name) != 0)
		return -1;
	dir = files_parent(f, op->path, name);
	if (dir < 0 || mknodat(dir, name, type | 0600, makedev(op->major, op->minor)) != 0 || remember_made(f, dir, name) != 0)
		return -1;
	if (fchownat(dir, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) != 0 || set_mode(dir, name, op->mode) != 0)
		return -1;
	return set_mtime(dir, name, op->mtime);
}

int file_remove(struct files *f, const struct op_file_remove *op)
{
	char name[256];
	autoclose dir = open_parent_in_root(f->root, op->path, 0, false, name);

	files_forget_parent(f);
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	return remove_tree(dir, name);
}

int file_clear(struct files *f, const struct op_file_clear *op)
{
	autoclose dir = open_in_root(f->root, op->path, O_DIRECTORY, 0, CREATE_NO);

	files_forget_parent(f);
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	return clear_tree(dir, &f->made, 0);
}

/* By a name relative to the working directory: no call sets an attribute by descriptor without following (before Linux 6.13). */
int file_xattr(struct files *f, const struct op_file_xattr *op)
{
	char name[256] = ".";
	autoclose back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dir = names_root(op->path) ? f->root : files_find_parent(f, op->path, name);
	int result, saved;

	if (dir < 0 || back < 0 || fchdir(dir) != 0)
		return -1;
	result = lsetxattr(name, op->name, op->value.p, op->value.len, 0);
	saved = errno;
	if (fchdir(back) != 0)
		return -1;
	errno = saved;
	return result;
}

int file_chmod(struct files *f, const struct op_file_chmod *op)
{
	char name[256] = ".";
	struct stat st;
	int dir = names_root(op->path) ? f->root : files_find_parent(f, op->path, name);

	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || fchownat(dir, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	return S_ISLNK(st.st_mode) ? 0 : set_mode(dir, name, op->mode);
}

int file_sync(struct files *f, const struct op_file_sync *op)
{
	for (size_t i = 0; i < f->ntimes; i++) {
		char name[256] = ".";
		bool is_root = names_root(f->times[i].path);
		autoclose dir = is_root ? -1 : open_parent_in_root(f->root, f->times[i].path, 0, false, name);

		/* One that a later entry removed has no time to set. */
		if (is_root || dir >= 0)
			set_mtime(is_root ? f->root : dir, name, f->times[i].ns);
		free(f->times[i].path);
	}
	f->ntimes = 0;
	return op->sync ? syncfs(f->root) : 0;
}

int file_enter(struct files *f, const struct op_file_enter *op)
{
	autoclose path = -1;
	int dir;

	files_forget_parent(f);
	if (f->ntimes > 0) {
		errno = EBUSY; /* these times belong below the root that was */
		return -1;
	}
	path = open_in_root(f->root, op->path, O_DIRECTORY, 0, CREATE_NO);
	dir = path < 0 ? -1 : openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* not O_PATH: syncfs wants more */
	if (dir < 0)
		return -1;
	close(f->root);
	f->root = dir;
	f->keep_kinds = op->flags & 1;
	return 0;
}
