/* Binds: a detached copy of a tree gets its attributes and its id mapping, then goes on its target. */
#include "mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define PROC_ROOT_INODE 1 /* linux/proc_fs.h, PROC_ROOT_INO */

enum bind_flags { BIND_MAKE_SOURCE = 1, BIND_SOURCE_NOFOLLOW = 2, BIND_COPY_LINK = 4, BIND_TARGET_NOFOLLOW = 8, BIND_MAP_TREE = 16, BIND_PROCFS = 32 };

static int clone_source(struct run *run, const struct op_mount_bind *op)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0);
	int tree = -1;

	if (op->source_fd != NO_SLOT) {
		/* A path beside the slot is below it: a subdirectory of a volume, which the container may have changed. */
		autoclose fd = run->slots[op->source_fd] < 0 ? -1 : open_in_root(run->slots[op->source_fd], op->source, 0, 0, CREATE_NO);

		tree = fd < 0 ? -1 : open_tree(fd, "", flags | AT_EMPTY_PATH);
	} else {
		struct source_request request = { .recursive = op->recursive != 0, .nofollow = (op->flags & BIND_SOURCE_NOFOLLOW) != 0, .userns = NO_SLOT };

		flags |= op->flags & BIND_SOURCE_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
		if (op->helper != NO_SLOT && op->userns != NO_SLOT) {
			request.userns = op->userns;
			request.map_tree = (op->flags & BIND_MAP_TREE) != 0;
			return ask_helper(run, op->helper, op->source, &request);
		}
		tree = open_tree(AT_FDCWD, op->source, flags);
		if (tree < 0 && errno == ENOENT && op->flags & BIND_MAKE_SOURCE && make_directories(op->source, 0755) == 0)
			tree = open_tree(AT_FDCWD, op->source, flags);
		if (tree < 0 && errno == EINVAL)
			tree = clone_elsewhere(op->source, flags);
		if (tree < 0 && errno == EACCES && op->helper != NO_SLOT)
			return ask_helper(run, op->helper, op->source, &request);
	}
	if (tree < 0 && errno == EINVAL && !op->recursive)
		return fail(run, EINVAL, "bind source %s: it is unbindable, or has mounts below it that a user namespace must not uncover: take rbind", op->source);
	if (tree < 0)
		return fail(run, errno, "bind source %s", op->source);
	return tree;
}

int fail_map_ids(struct run *run, int err, int mount, const char *source)
{
	struct statfs fs = { 0 };

	fstatfs(mount, &fs);
	return fail(run, err, "failed to set MOUNT_ATTR_IDMAP on %s (filesystem of type 0x%lx)%s", source, (unsigned long)fs.f_type,
		    err == EINVAL ? ": maybe the filesystem used doesn't support idmap mounts on this kernel? take another one, or leave the id mappings out" : "");
}

/* Words of the locked flags that are set on MOUNT and were to be cleared. */
static const char *locked_flags(int mount, uint64_t clear, char *text, size_t size)
{
	static const struct { uint64_t attribute; unsigned long flag; const char *name; } flags[] = {
		{ MOUNT_ATTR_RDONLY, ST_RDONLY, "ro" }, { MOUNT_ATTR_NOSUID, ST_NOSUID, "nosuid" }, { MOUNT_ATTR_NODEV, ST_NODEV, "nodev" },
		{ MOUNT_ATTR_NOEXEC, ST_NOEXEC, "noexec" },
	};
	struct statfs fs;

	*text = '\0';
	if (fstatfs(mount, &fs) != 0)
		return text;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (clear & flags[i].attribute && (unsigned long)fs.f_flags & flags[i].flag)
			snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? "," : "", flags[i].name);
	return text;
}

static int fail_flags(struct run *run, int err, int tree, uint64_t set, uint64_t clear)
{
	char names[64];

	if (err != EPERM)
		return fail(run, err, "failed to set user-requested vfs flags on bind-mount");
	if (*locked_flags(tree, clear, names, sizeof(names)))
		return fail(run, err, "failed to set user-requested vfs flags on bind-mount: cannot clear locked flags %s", names);
	return fail(run, err, "failed to set user-requested vfs flags on bind-mount: cannot change locked %s", (set | clear) & MOUNT_ATTR__ATIME ? "atime flags" : "flags");
}

/* 1: the source was a symbolic link, and TARGET is the same one now. 0: it is none. -1 after fail(). */
static int copy_link(struct run *run, const struct op_mount_bind *op)
{
	char link[PROGRAM_MAX_PATH + 1], there[PROGRAM_MAX_PATH + 1], name[256];
	ssize_t n = readlink(op->source, link, sizeof(link) - 1), m;
	int root = root_fd(run, op->root);
	autoclose parent = -1;

	if (root < 0)
		return -1;
	if (n < 0)
		return errno == EINVAL ? 0 : fail(run, errno, "bind source %s", op->source);
	link[n] = '\0';
	parent = open_parent_in_root(root, op->target, 0, true, name);
	if (parent >= 0 && symlinkat(link, parent, name) == 0)
		return 1;
	if (parent < 0 || errno != EEXIST)
		return fail(run, errno, "symbolic link %s", op->target);
	m = readlinkat(parent, name, there, sizeof(there) - 1);
	return m == n && memcmp(there, link, (size_t)n) == 0 ? 1 : fail(run, EEXIST, "%s is there, and no symbolic link to %s", op->target, link);
}

/* The kernel says EINVAL to a directory on a file too. */
static int fail_attach(struct run *run, int err, int tree, int target)
{
	struct stat source, at;
	bool differ = fstat(tree, &source) == 0 && fstat(target, &at) == 0 && S_ISDIR(source.st_mode) != S_ISDIR(at.st_mode);

	if ((err != EINVAL && err != ENOTDIR) || !differ)
		return fail(run, err, "%s", "");
	return fail(run, ENOTDIR, "the source is %s, the target is %s",
		    S_ISDIR(source.st_mode) ? "a directory" : "not a directory", S_ISDIR(at.st_mode) ? "a directory" : "not a directory");
}

/* Attributes of the detached TREE, then it goes on its target. */
static int place_bind(struct run *run, const struct op_mount_bind *op, int tree, int target)
{
	if (set_attributes_unless_locked(tree, 0, op->set, op->clear, op->clear_unlocked) != 0)
		return fail_flags(run, errno, tree, op->set, op->clear);
	if (set_attributes(tree, AT_RECURSIVE, op->rec_set, op->rec_clear, 0) != 0)
		return fail_flags(run, errno, tree, op->rec_set, op->rec_clear);
	if (set_attributes(tree, 0, 0, 0, op->propagation) != 0)
		return fail(run, errno, "propagation");
	return attach(tree, target) == 0 ? 0 : fail_attach(run, errno, tree, target);
}

static int bind(struct run *run, const struct op_mount_bind *op)
{
	autoclose tree = clone_source(run, op);
	autoclose target = -1;
	enum create_kind create = op->create == 3 ? CREATE_FILE : (enum create_kind)op->create;
	int userns = op->userns == NO_SLOT ? -1 : run->slots[op->userns];
	struct stat source;
	struct statfs fs;
	bool made;

	if (tree < 0)
		return -1;
	if (op->userns != NO_SLOT && userns < 0)
		return fail(run, EBADF, "user namespace slot %u is empty", op->userns);
	if (userns >= 0 && op->helper == NO_SLOT && map_ids(tree, userns, op->flags & BIND_MAP_TREE) != 0)
		return fail_map_ids(run, errno, tree, op->source);
	if (fstat(tree, &source) != 0)
		return fail(run, errno, "bind source %s", op->source);
	/* A directory of procfs on /proc would put the paths that are hidden or read-only out of their place. */
	if (op->flags & BIND_PROCFS && (fstatfs(tree, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC || source.st_ino != PROC_ROOT_INODE))
		return fail(run, EPERM, "\"%s\" cannot be mounted because it is not of type proc", op->target);
	if (op->create == 3 && S_ISDIR(source.st_mode))
		create = CREATE_DIRECTORY;
	target = open_target(run, op->root, op->target, op->flags & BIND_PROCFS ? "proc" : NULL, op->flags & BIND_TARGET_NOFOLLOW ? O_NOFOLLOW : 0, create, &made);
	return target < 0 ? -1 : place_bind(run, op, tree, target);
}

int do_mount_bind(struct run *run, const struct op_mount_bind *op)
{
	int copied = op->flags & BIND_COPY_LINK ? copy_link(run, op) : 0;

	if (copied == 1 || (copied == 0 && bind(run, op) == 0))
		return 0;
	return mount_failed(run, op->source, op->target);
}

int do_bind_source(struct run *run, const struct op_bind_source *op)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0) | (op->flags & BIND_SOURCE_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
	int tree = open_tree(AT_FDCWD, op->source, flags);

	if (tree < 0)
		return fail(run, errno, "bind source %s", op->source);
	if (op->userns != NO_SLOT && map_ids(tree, run->slots[op->userns], op->flags & BIND_MAP_TREE) != 0)
		fail_map_ids(run, errno, tree, op->source);
	else if (set_attributes(tree, 0, op->set, op->clear, 0) != 0 || set_attributes(tree, AT_RECURSIVE, op->rec_set, op->rec_clear, 0) != 0 ||
		 set_attributes(tree, 0, 0, 0, op->propagation) != 0)
		fail(run, errno, "attributes of the bind of %s", op->source);
	else
		return put_slot(run, op->out, tree);
	close(tree);
	return -1;
}

int do_attach(struct run *run, const struct op_attach *op)
{
	int tree = op->fd == NO_SLOT ? -1 : run->slots[op->fd];
	autoclose target = -1;
	struct stat source;
	bool made;

	if (tree < 0 || fstat(tree, &source) != 0)
		return fail(run, EBADF, "mount slot %u is empty", op->fd);
	target = open_target(run, op->root, op->target, NULL, op->flags & BIND_TARGET_NOFOLLOW ? O_NOFOLLOW : 0,
			     op->create == 0 ? CREATE_NO : S_ISDIR(source.st_mode) ? CREATE_DIRECTORY : CREATE_FILE, &made);
	if (target < 0)
		return -1;
	if (attach(tree, target) == 0)
		return 0;
	fail_attach(run, errno, tree, target);
	return mount_failed(run, "", op->target);
}
