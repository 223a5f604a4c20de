/* Mounts, by the new mount API (Linux 5.2 and newer): made detached, given their attributes, then put on a descriptor of the target, so
 * that nothing of the container ever sees one half configured, and no target is looked up twice. */
#include "mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

int attach(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int set_attributes(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation & ~(uint64_t)MS_REC };

	if (set & MOUNT_ATTR__ATIME) /* one of several values, not a bit: the kernel wants the old one cleared (mount_setattr(2)) */
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	if (attr.attr_set == 0 && attr.attr_clr == 0 && attr.propagation == 0)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH | at_flags | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

/* What a mount that came from a more privileged namespace keeps (mount_namespaces(7), "locked"). Access times are locked too, but never
 * cleared unasked. */
#define LOCKABLE ((uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC))

int set_attributes_unless_locked(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t clear_unlocked)
{
	if (set_attributes(fd, at_flags, set, clear | clear_unlocked, 0) == 0)
		return 0;
	if (errno != EPERM || !(clear_unlocked & LOCKABLE))
		return -1;
	return set_attributes(fd, at_flags, set, clear | (clear_unlocked & ~LOCKABLE), 0);
}

int map_ids(int mount, int userns, bool tree)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	return mount_setattr(mount, "", AT_EMPTY_PATH | (tree ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

int mount_failed(struct run *run, const char *source, const char *target)
{
	char why[DETAIL_MAX];

	if (run->failed.index != run->current)
		return -1;
	memcpy(why, run->failed.detail, sizeof(why));
	run->failed.index = NO_OP;
	return fail(run, run->failed.err, "error mounting \"%s\" to rootfs at \"%s\"%s%s", source, target, *why ? ": " : "", why);
}

const char *context_message(int fs, char *text, size_t size)
{
	ssize_t n = read(fs, text, size - 1);

	if (n <= 2)
		return "";
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	text[0] = ':';
	return text;
}

int configure(int fs, const struct op_strs *options, const char **bad)
{
	for (uint32_t i = 0; i < options->n; i++) {
		const char *equals = strchr(options->v[i], '=');
		char key[64];
		int result;

		*bad = options->v[i];
		if (!equals) {
			result = fsconfig(fs, FSCONFIG_SET_FLAG, options->v[i], NULL, 0);
		} else if ((size_t)(equals - options->v[i]) >= sizeof(key)) {
			errno = EINVAL;
			return -1;
		} else {
			snprintf(key, sizeof(key), "%.*s", (int)(equals - options->v[i]), options->v[i]);
			result = fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
		}
		if (result != 0)
			return -1;
	}
	*bad = NULL;
	return 0;
}

int new_mount(struct run *run, const char *fstype, const char *source, const struct op_strs *options, uint64_t attrs)
{
	autoclose fs = fsopen(fstype, FSOPEN_CLOEXEC);
	const char *bad = NULL;
	char message[256];
	int mount;

	if (fs < 0)
		return fail(run, errno, "filesystem type %s", fstype);
	if ((*source && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) != 0) || configure(fs, options, &bad) != 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
		int err = errno;

		return fail(run, err, "new %s%s%s%s", fstype, bad ? " with " : "", bad ? bad : "", context_message(fs, message, sizeof(message)));
	}
	mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
	return mount < 0 ? fail(run, errno, "new mount of %s", fstype) : mount;
}

static bool is_kernel_tree(const char *fstype)
{
	return fstype && (strcmp(fstype, "proc") == 0 || strcmp(fstype, "sysfs") == 0);
}

/* The target of procfs and sysfs must be what it is called (CVE-2019-19921, CVE-2023-27561): later operations trust /proc and /sys. Nothing else
 * may get onto procfs by way of a link (CVE-2019-16884, CVE-2025-52881). */
int open_target(struct run *run, uint32_t slot, const char *path, const char *fstype, uint64_t flags, enum create_kind create, bool *made)
{
	bool strict = is_kernel_tree(fstype);
	int root = root_fd(run, slot);
	struct statfs fs;
	int fd;

	if (root < 0)
		return -1;
	fd = open_in_root(root, path, flags, strict ? RESOLVE_NO_SYMLINKS : 0, CREATE_NO);
	*made = fd < 0 && errno == ENOENT && create != CREATE_NO;
	if (*made)
		fd = open_in_root(root, path, flags, strict ? RESOLVE_NO_SYMLINKS : 0, create);
	if (fd < 0 && strict && errno == ELOOP)
		return fail(run, ELOOP, "%s is a symbolic link in the root filesystem: filesystem \"%s\" must be mounted on ordinary directory", path, fstype);
	if (fd < 0)
		return fail(run, errno, "mount point %s", path);
	if (!strict && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
		/* The one without links is the one that is used: what lies at PATH may be exchanged meanwhile. */
		int direct = sys_openat2(root, *path ? path : ".", O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

		close(fd);
		return direct < 0 ? fail(run, EPERM, "mount point %s leads into /proc by a symbolic link", path) : direct;
	}
	return fd;
}

/* --- operations ---------------------------------------------------------------------------------------------------- */

int do_propagation(struct run *run, const struct op_propagation *op)
{
	return mount(NULL, op->path, NULL, op->flags, NULL) == 0 ? 0 : fail(run, errno, "propagation 0x%llx of %s", (unsigned long long)op->flags, op->path);
}

int do_umount(struct run *run, const struct op_umount *op)
{
	if (umount2(op->path, (int)op->flags) == 0 || (op->ignore && (errno == EINVAL || errno == ENOENT)))
		return 0;
	return fail(run, errno, "umount %s", op->path);
}

/* In a user namespace without its own network namespace the kernel refuses a new sysfs: the host's, read-only as asked for, is what is left. */
static int bind_host_sysfs(struct run *run, const struct op_mount_fs *op)
{
	int tree = open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0 || set_attributes(tree, AT_RECURSIVE, op->attrs, 0, MS_PRIVATE) != 0) {
		close_fd(&tree);
		return fail(run, errno, "bind of the host's sysfs");
	}
	return tree;
}

enum fs_flags { FS_HOST_SYSFS = 1, FS_MODE_OF_TARGET = 2, FS_COPY_UP = 4 };

/* The options, and before them the mode of the directory that is covered (the last of two modes counts). */
static int with_mode_of(int target, const struct op_strs *options, struct op_strs *all, char mode[32])
{
	struct stat st;

	if (fstat(target, &st) != 0)
		return -1;
	all->v = calloc((size_t)options->n + 1, sizeof(*all->v)); /* lives as long as the program, as its own do */
	if (!all->v)
		return -1;
	snprintf(mode, 32, "mode=%04o", st.st_mode & 07777);
	all->v[0] = mode;
	all->n = options->n + 1;
	for (uint32_t i = 0; i < options->n; i++)
		all->v[i + 1] = options->v[i];
	return 0;
}

/* fsconfig(2) has no words for some flags of a superblock (iversion, silent), and takes no string longer than CONFIG_STRING_MAX. */
static bool needs_mount_call(const struct op_mount_fs *op)
{
	bool is_long = false;

	for (uint32_t i = 0; i < op->options.n; i++) {
		const char *equals = strchr(op->options.v[i], '=');

		is_long = is_long || (equals && strlen(equals + 1) > CONFIG_STRING_MAX);
	}
	return op->sb_flags || is_long;
}

/* mount(2) goes by path, the one of here, and gives no descriptor: what is to be done with the new mount needs a second look at the target,
 * which is below the root whatever has become of it. A descriptor of the mount, -1 after fail(). */
static int mount_by_call(struct run *run, const struct op_mount_fs *op, const struct op_strs *options, int target)
{
	static const struct { uint64_t attribute; unsigned long flag; } flags[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY }, { MOUNT_ATTR_NOSUID, MS_NOSUID }, { MOUNT_ATTR_NODEV, MS_NODEV },
		{ MOUNT_ATTR_NOEXEC, MS_NOEXEC }, { MOUNT_ATTR_NOATIME, MS_NOATIME }, { MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME }, { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
	};
	autoclose back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned long all = (unsigned long)op->sb_flags;
	char data[PROGRAM_MAX_PATH + 1] = "";
	size_t len = 0;
	int result, mounted;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		all |= op->attrs & flags[i].attribute ? flags[i].flag : 0;
	for (uint32_t i = 0; i < options->n; i++) {
		len += (size_t)snprintf(data + len, sizeof(data) - len, "%s%s", i ? "," : "", options->v[i]);
		if (len >= sizeof(data))
			return fail(run, E2BIG, "options of %s", op->fstype);
	}
	if (back < 0 || fchdir(target) != 0)
		return fail(run, errno, "mount point %s", op->target);
	result = mount(op->source, ".", op->fstype, all, data);
	if (result != 0)
		fail(run, errno, "new %s with %s", op->fstype, data);
	if (fchdir(back) != 0)
		return fail(run, errno, "working directory");
	if (result != 0)
		return -1;
	mounted = open_in_root(root_fd(run, op->root), op->target, 0, 0, CREATE_NO);
	return mounted < 0 ? fail(run, errno, "mount point %s", op->target) : mounted;
}

static int label_root(struct run *run, int mount, const char *label)
{
	autoclose dir = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && fsetxattr(dir, "security.selinux", label, strlen(label) + 1, 0) == 0 ? 0 : fail(run, errno, "label %s", label);
}

/* A detached mount of the filesystem, or of what stands in for it. -1 after fail(). */
static int detached_mount(struct run *run, const struct op_mount_fs *op, const struct op_strs *options)
{
	int mount = new_mount(run, op->fstype, op->source, options, op->attrs);

	if (mount >= 0 || !(op->flags & FS_HOST_SYSFS) || (run->failed.err != EPERM && run->failed.err != EBUSY))
		return mount;
	run->failed.index = NO_OP;
	return bind_host_sysfs(run, op);
}

static int mount_filesystem(struct run *run, const struct op_mount_fs *op)
{
	bool made, by_call = needs_mount_call(op);
	autoclose target = open_target(run, op->root, op->target, op->fstype, 0, op->create ? CREATE_DIRECTORY : CREATE_NO, &made);
	autoclose mount = -1;
	struct op_strs options = op->options;
	char mode[32];

	if (target < 0)
		return -1;
	if (op->flags & FS_MODE_OF_TARGET && !made && with_mode_of(target, &op->options, &options, mode) != 0)
		return fail(run, errno, "mode of %s", op->target);
	mount = by_call ? mount_by_call(run, op, &options, target) : detached_mount(run, op, &options);
	if (mount < 0 || (*op->label && label_root(run, mount, op->label) != 0))
		return -1;
	if (op->flags & FS_COPY_UP && !made && copy_tree(run, target, mount) != 0)
		return -1;
	if (set_attributes(mount, 0, 0, 0, op->propagation) != 0 || (!by_call && attach(mount, target) != 0))
		return fail(run, errno, "mount %s", op->fstype);
	return 0;
}

int do_mount_fs(struct run *run, const struct op_mount_fs *op)
{
	return mount_filesystem(run, op) == 0 ? 0 : mount_failed(run, op->source, op->target);
}

int do_remount_fs(struct run *run, const struct op_remount_fs *op)
{
	int root = root_fd(run, op->root);
	autoclose target = root < 0 ? -1 : open_in_root(root, op->target, 0, 0, CREATE_NO);
	autoclose fs = target < 0 ? -1 : fspick(target, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	const char *bad = NULL;
	char message[256];

	if (fs >= 0 && configure(fs, &op->options, &bad) == 0 && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0)
		return 0;
	return fail(run, errno, "remount of %s%s%s%s", op->target, bad ? " with " : "", bad ? bad : "", fs >= 0 ? context_message(fs, message, sizeof(message)) : "");
}

/* By the directory that it is in: umount2(2) takes a path alone, and one of a file is no directory to be in. */
int do_umount_in(struct run *run, const struct op_umount_in *op)
{
	char name[256];
	int root = root_fd(run, op->root);
	autoclose parent = root < 0 ? -1 : open_parent_in_root(root, op->target, 0, false, name);
	autoclose back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (root < 0)
		return -1;
	if (parent < 0 || back < 0 || fchdir(parent) != 0)
		return fail(run, errno, "umount of %s", op->target);
	if (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
		err = errno;
	if (fchdir(back) != 0)
		return fail(run, errno, "working directory");
	return err == 0 ? 0 : fail(run, err, "umount of %s%s", op->target, err == EINVAL ? ": it is not a mount point" : "");
}

int do_mount_setattr(struct run *run, const struct op_mount_setattr *op)
{
	int root = root_fd(run, op->root);
	autoclose target = root < 0 ? -1 : open_in_root(root, op->target, 0, 0, CREATE_NO);
	unsigned at_flags = op->recursive ? AT_RECURSIVE : 0;

	if (target < 0 || set_attributes_unless_locked(target, at_flags, op->set, op->clear, op->clear_unlocked) != 0 ||
	    set_attributes(target, at_flags, 0, 0, op->propagation) != 0)
		return fail(run, errno, "mount attributes of %s", op->target);
	return 0;
}

static int bind_cgroup(struct run *run, int tmpfs, const char *dir, const char *name)
{
	autoclose tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	autoclose target = -1;

	if (tree < 0 || (mkdirat(tmpfs, name, 0755) != 0 && errno != EEXIST))
		return fail(run, errno, "cgroup %s as %s", dir, name);
	target = openat(tmpfs, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || attach(tree, target) != 0)
		return fail(run, errno, "cgroup %s as %s", dir, name);
	return 0;
}

int do_mount_cgroup_v1(struct run *run, const struct op_mount_cgroup_v1 *op)
{
	static const char *mode[] = { "mode=755" };
	struct op_strs options = { mode, 1 };
	bool made;
	autoclose target = open_target(run, op->root, op->target, "tmpfs", 0, CREATE_DIRECTORY, &made);
	autoclose tmpfs = target < 0 ? -1 : new_mount(run, "tmpfs", "tmpfs", &options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (tmpfs < 0)
		return -1;
	/* Attached first: mounts on a detached one are possible only since 6.15. */
	if (attach(tmpfs, target) != 0)
		return fail(run, errno, "mount tmpfs on %s", op->target);
	for (uint32_t i = 0; i + 1 < op->dirs.n; i += 2)
		if (bind_cgroup(run, tmpfs, op->dirs.v[i], op->dirs.v[i + 1]) != 0)
			return -1;
	for (uint32_t i = 0; i + 1 < op->links.n; i += 2)
		if (symlinkat(op->links.v[i + 1], tmpfs, op->links.v[i]) != 0 && errno != EEXIST)
			return fail(run, errno, "cgroup link %s", op->links.v[i]);
	if (set_attributes(tmpfs, AT_RECURSIVE, op->attrs, 0, 0) != 0)
		return fail(run, errno, "attributes of %s", op->target);
	return 0;
}
