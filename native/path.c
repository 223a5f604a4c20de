/* Paths below a root slot are resolved by the kernel inside that root (openat2), and what is missing is made on descriptors, one name at a
 * time. No string is checked first and used later: what another process exchanges in between is resolved inside the root all the same. */
#include "strake.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define MAX_LINKS 40 /* as the kernel's (path_resolution(7)) */
#define RETRIES 128 /* openat2 answers EAGAIN when a rename anywhere races with `..` */

int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	long fd;
	int tries = 0;

	do
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < RETRIES)));
	return (int)fd;
}

int root_fd(struct run *run, uint32_t slot)
{
	if (slot != NO_SLOT) {
		if (run->slots[slot] < 0)
			fail(run, EBADF, "root slot %u is empty", slot);
		return run->slots[slot];
	}
	if (run->root_dir < 0)
		run->root_dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->root_dir < 0)
		fail(run, errno, "root directory");
	return run->root_dir;
}

static int make_and_enter(int dir, const char *name)
{
	if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
		return -1;
	return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The name before the next slash of *PATH goes to NAME; *PATH moves behind it and its slashes. */
static int next_name(const char **path, char name[256])
{
	size_t n = strcspn(*path, "/");

	if (n > 255) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, *path, n);
	name[n] = '\0';
	*path += n + strspn(*path + n, "/");
	return 0;
}

static int make_below(int root, const char *path, enum create_kind create, unsigned links);

/* NAME in DIR is a symbolic link to what does not exist: go on with its target in place of it, inside ROOT. */
static int make_behind_link(int root, int dir, const char *prefix, const char *name, const char *rest, enum create_kind create, unsigned links)
{
	char target[PROGRAM_MAX_PATH + 1];
	char *path;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	int fd;

	if (n < 0)
		return -1;
	target[n] = '\0';
	if (links >= MAX_LINKS) {
		errno = ELOOP;
		return -1;
	}
	if (asprintf(&path, "%s/%s/%s", target[0] == '/' ? "" : prefix, target, rest) < 0)
		return -1;
	fd = make_below(root, path, create, links + 1);
	free(path);
	return fd;
}

/* Makes the names of REST, which follow PREFIX, below DIR (closed here). */
static int make_rest(int root, int dir, char *prefix, const char *rest, enum create_kind create, unsigned links)
{
	char name[256];

	while (*rest) {
		bool last;
		int next;

		if (next_name(&rest, name) != 0)
			break;
		last = *rest == '\0';
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) { /* behind something that does not exist */
			errno = ENOENT;
			break;
		}
		if (last && create == CREATE_FILE) {
			next = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
			if (next >= 0) {
				close(next);
				next = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			}
		} else {
			next = make_and_enter(dir, name);
		}
		if (next < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EEXIST)) {
			int saved = errno;

			next = make_behind_link(root, dir, prefix, name, rest, create, links);
			if (next < 0 && errno == EINVAL) /* not a link */
				errno = saved;
			close(dir);
			return next;
		}
		close(dir);
		if (next < 0)
			return -1;
		dir = next;
		strcat(strcat(prefix, "/"), name); /* prefix has room for the whole path */
	}
	if (*rest == '\0')
		return dir;
	close(dir);
	return -1;
}

/* Finds the longest part of PATH that exists, and makes what follows. */
static int make_below(int root, const char *path, enum create_kind create, unsigned links)
{
	size_t len = strlen(path), end = len;
	char *prefix = malloc(2 * len + 2);
	int dir = -1, saved;

	if (!prefix)
		return -1;
	while (dir < 0) {
		while (end > 0 && path[end - 1] == '/')
			end--;
		while (end > 0 && path[end - 1] != '/')
			end--;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		dir = sys_openat2(root, end ? prefix : ".", O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		if (dir < 0 && (errno != ENOENT || end == 0))
			break;
	}
	if (dir >= 0)
		dir = make_rest(root, dir, prefix, path + end, create, links);
	saved = errno;
	free(prefix);
	errno = saved;
	return dir;
}

int open_in_root(int root, const char *path, uint64_t flags, uint64_t resolve, enum create_kind create)
{
	int fd = sys_openat2(root, *path ? path : ".", O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);

	if (fd >= 0 || errno != ENOENT || create == CREATE_NO)
		return fd;
	fd = make_below(root, path, create, 0);
	if (fd < 0 || !(resolve & RESOLVE_NO_SYMLINKS))
		return fd;
	close(fd);
	return sys_openat2(root, path, O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

int open_parent_in_root(int root, const char *path, uint64_t resolve, bool create, char *name)
{
	size_t end = strlen(path), start;
	char *parent;
	int fd, saved;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end == start || end - start > 255) {
		errno = end == start ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	parent = strndup(path, start);
	if (!parent)
		return -1;
	fd = open_in_root(root, parent, O_DIRECTORY, resolve, create ? CREATE_DIRECTORY : CREATE_NO);
	saved = errno;
	free(parent);
	errno = saved;
	return fd;
}

int make_directories(const char *path, mode_t mode)
{
	char *copy, *slash;
	int result = mkdir(path, mode);

	if (result == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -1;
	copy = strdup(path);
	slash = copy ? strrchr(copy, '/') : NULL;
	if (slash && slash != copy) {
		*slash = '\0';
		result = make_directories(copy, mode);
		if (result == 0 && mkdir(path, mode) != 0 && errno != EEXIST)
			result = -1;
	}
	free(copy);
	return result;
}

/* The procfs that the runtime sees: where the pid namespace is another user namespace's, a new one is refused. Its root has inode 1 (PROC_ROOT_INO). */
static int open_host_proc(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && fstat(fd, &st) == 0 && st.st_ino == 1))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

int open_private_proc(struct run *run)
{
	autoclose fs = -1;

	if (run->proc_fd >= 0)
		return run->proc_fd;
	fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
		if (errno == EPERM && !run->pivoted)
			run->proc_fd = open_host_proc();
		return run->proc_fd;
	}
	run->proc_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return run->proc_fd;
}

int open_proc(struct run *run, const char *name, int flags)
{
	char path[256];

	if (run->in_init && (run->pivoted || run->proc_fd >= 0)) {
		int proc = open_private_proc(run);

		/* Not the container's /proc: it may be anything, and be exchanged (CVE-2025-52881). `self` is the one link that is needed. */
		return proc < 0 ? -1 : sys_openat2(proc, name, (uint64_t)flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	}
	snprintf(path, sizeof(path), "/proc/%s", name);
	return open(path, flags | O_CLOEXEC);
}

DIR *open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		close_fd(&fd);
	return stream;
}

bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int write_fd(int fd, const void *data, size_t len)
{
	ssize_t n;
	int saved;

	if (fd < 0)
		return -1;
	/* One write: a file of cgroup, proc or sys takes its value whole. Longer than a page is a regular file. */
	do
		n = write(fd, data, len);
	while (n < 0 && errno == EINTR);
	while (n >= 0 && (size_t)n < len) {
		ssize_t more = write(fd, (const char *)data + n, len - (size_t)n);

		n = more < 0 ? -1 : n + more;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

uint64_t process_start_time(pid_t pid)
{
	char text[512], *p;
	ssize_t n;
	int fd;

	snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name may hold spaces and brackets; field 3 follows it */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}
