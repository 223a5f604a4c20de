/* Directories, device nodes and links below the container's root. */
#include "mount.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* since 6.6 */
#endif

/* The mode of an O_PATH descriptor, which fchmod(2) refuses. */
static int change_mode(int fd, mode_t mode)
{
	char path[32];

	if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

static int set_owner_and_mode(int fd, const struct stat *st, mode_t mode, uid_t uid, gid_t gid)
{
	bool chowned = st->st_uid != uid || st->st_gid != gid;

	if (chowned && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
		return -1;
	/* A change of the owner clears the set-id bits. */
	return (st->st_mode & 07777) == (mode & 07777) && !(chowned && mode & 06000) ? 0 : change_mode(fd, mode & 07777);
}

int do_mkdir_in(struct run *run, const struct op_mkdir_in *op)
{
	int root = root_fd(run, op->root);
	autoclose dir = root < 0 ? -1 : open_in_root(root, op->path, 0, 0, CREATE_NO);
	bool existed = dir >= 0;
	struct stat st;

	if (root >= 0 && !existed)
		dir = open_in_root(root, op->path, 0, 0, CREATE_DIRECTORY);
	if (dir < 0 || fstat(dir, &st) != 0)
		return fail(run, errno, "directory %s", op->path);
	if (!S_ISDIR(st.st_mode))
		return fail(run, ENOTDIR, "mkdir %s", op->path);
	if (existed) /* the image's: its owner and mode stay */
		return 0;
	return set_owner_and_mode(dir, &st, op->mode, op->uid, op->gid) == 0 ? 0 : fail(run, errno, "owner and mode of %s", op->path);
}

static int fail_parent(struct run *run, int err, const char *path)
{
	return fail(run, err, err == ELOOP ? "%s lies behind a symbolic link of the root filesystem" : "directory of %s", path);
}

enum node_flags { NODE_BIND = 1, NODE_NO_LINKS = 2 };

/* A detached bind of the host's node of the same name, once it is the right one. */
static int host_node(struct run *run, const struct op_mknod_in *op)
{
	autoclose source = open(op->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int tree;

	if (source < 0 || fstat(source, &st) != 0)
		return fail(run, errno, "device %s of the host", op->path);
	if ((st.st_mode & S_IFMT) != (op->mode & S_IFMT) || st.st_rdev != makedev(op->major, op->minor))
		return fail(run, ENXIO, "%s of the host is not device %u:%u", op->path, op->major, op->minor);
	tree = open_tree(source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? fail(run, errno, "bind of device %s", op->path) : tree;
}

/* In a user namespace no device can be made: one from outside goes over an empty file. Its mount carries neither programs nor rights of files. */
static int bind_node(struct run *run, int parent, const char *name, const struct op_mknod_in *op)
{
	autoclose tree = -1;
	autoclose target = -1;
	struct stat st;

	if (op->helper != NO_SLOT)
		tree = ask_helper_for_node(run, op->helper, op);
	if (tree < 0 && run->failed.index == NO_OP)
		tree = host_node(run, op);
	if (tree < 0)
		return -1;
	if (mknodat(parent, name, S_IFREG | 0666, 0) != 0 && errno != EEXIST)
		return fail(run, errno, "place of device %s", op->path);
	/* Not opened: what an image has there may be a device that notices. */
	target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) != 0)
		return fail(run, errno, "place of device %s", op->path);
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return fail(run, EEXIST, "%s exists and is %s", op->path, S_ISLNK(st.st_mode) ? "a symbolic link" : "something else");
	if (set_attributes(tree, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0) != 0 || attach(tree, target) != 0)
		return fail(run, errno, "bind of device %s", op->path);
	return 0;
}

int do_mknod_in(struct run *run, const struct op_mknod_in *op)
{
	char name[256];
	int root = root_fd(run, op->root);
	autoclose parent = root < 0 ? -1 : open_parent_in_root(root, op->path, op->flags & NODE_NO_LINKS ? RESOLVE_NO_SYMLINKS : 0, true, name);
	autoclose node = -1;
	dev_t device = makedev(op->major, op->minor);
	bool is_device = S_ISCHR(op->mode) || S_ISBLK(op->mode);
	struct stat st;

	if (parent < 0)
		return fail_parent(run, errno, op->path);
	if (op->flags & NODE_BIND)
		return bind_node(run, parent, name, op);
	if (mknodat(parent, name, op->mode, is_device ? device : 0) != 0 && errno != EEXIST) {
		if (errno == EPERM && is_device) /* no CAP_MKNOD, or a user namespace around all of us */
			return bind_node(run, parent, name, op);
		return fail(run, errno, "mknod %s", op->path);
	}
	/* What is there now may have been there before: an image's link or file of this name is not what was asked for. */
	node = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (node < 0 || fstat(node, &st) != 0)
		return fail(run, errno, "mknod %s", op->path);
	if ((st.st_mode & S_IFMT) != (op->mode & S_IFMT) || (is_device && st.st_rdev != device))
		return fail(run, EEXIST, "%s exists and is %s", op->path, S_ISLNK(st.st_mode) ? "a symbolic link" : "something else");
	return set_owner_and_mode(node, &st, op->mode, op->uid, op->gid) == 0 ? 0 : fail(run, errno, "owner and mode of %s", op->path);
}

int do_symlink_in(struct run *run, const struct op_symlink_in *op)
{
	char name[256];
	int root = root_fd(run, op->root);
	autoclose parent = root < 0 ? -1 : open_parent_in_root(root, op->path, op->flags & NODE_NO_LINKS ? RESOLVE_NO_SYMLINKS : 0, true, name);

	if (parent < 0)
		return fail_parent(run, errno, op->path);
	if (symlinkat(op->target, parent, name) == 0 || (errno == EEXIST && !(op->flags & 1)))
		return 0;
	if (errno == EEXIST && unlinkat(parent, name, 0) == 0 && symlinkat(op->target, parent, name) == 0)
		return 0;
	return fail(run, errno, "symbolic link %s", op->path);
}

/* A null device of the host behind stdin is one of another filesystem, which the container cannot open again by /dev/stdin. */
int do_reopen_null(struct run *run)
{
	autoclose null = -1;

	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		if (null < 0) {
			null = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
			if (null < 0 || fstat(null, &st) != 0)
				return fail(run, errno, "/dev/null of the container");
			if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
				return fail(run, EPERM, "/dev/null of the container is not the null device");
		}
		if (dup3(null, fd, 0) < 0)
			return fail(run, errno, "descriptor %d", fd);
	}
	return 0;
}
