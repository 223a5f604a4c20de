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

#define CONFIG_STRING_MAX 255 /* fsconfig(2) takes strings up to 256 bytes with their NUL */

int attach(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int set_attributes(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t propagation, int userns)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation & ~(uint64_t)MS_REC };

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	if (set & MOUNT_ATTR__ATIME) /* one of several values, not a bit: the kernel wants the old one cleared (mount_setattr(2)) */
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	if (attr.attr_set == 0 && attr.attr_clr == 0 && attr.propagation == 0)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH | at_flags | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

/* The kernel's own words about a refused option, one line ("e tmpfs: Bad value for 'size'"). */
static const char *context_message(int fs, char *text, size_t size)
{
	ssize_t n = read(fs, text, size - 1);

	if (n <= 2)
		return "";
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	text[0] = ':';
	return text;
}

/* Each is KEY=VALUE or a flag. 0 or -1 (errno; *BAD is the refused one). */
static int configure(int fs, const struct op_strs *options, const char **bad)
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
int open_target(struct run *run, uint32_t slot, const char *path, const char *fstype, enum create_kind create)
{
	bool strict = is_kernel_tree(fstype);
	int root = root_fd(run, slot);
	struct statfs fs;
	int fd;

	if (root < 0)
		return -1;
	fd = open_in_root(root, path, 0, strict ? RESOLVE_NO_SYMLINKS : 0, create);
	if (fd < 0 && strict && errno == ELOOP)
		return fail(run, ELOOP, "%s is a symbolic link in the root filesystem: %s must be mounted on an ordinary directory", path, fstype);
	if (fd < 0)
		return fail(run, errno, "mount point %s", path);
	if (!strict && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
		/* The one without links is the one that is used: what lies at PATH may be exchanged meanwhile. */
		int direct = sys_openat2(root, *path ? path : ".", O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

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

static int layer(int fs, const char *key, const char *path)
{
	autoclose fd = -1;

	if (strlen(path) <= CONFIG_STRING_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* layers by descriptor: since 6.13 */
	return fd < 0 ? -1 : fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd);
}

/* 0 or -1 (errno; *BAD names what was refused). */
static int add_layers(int fs, const struct op_overlay *op, const char **bad)
{
	for (uint32_t i = 0; i < op->lowers.n; i++) {
		*bad = op->lowers.v[i];
		if (layer(fs, "lowerdir+", *bad) != 0)
			return -1;
	}
	*bad = op->upper;
	if (*op->upper && layer(fs, "upperdir", op->upper) != 0)
		return -1;
	*bad = op->work;
	if (*op->work && layer(fs, "workdir", op->work) != 0)
		return -1;
	return configure(fs, &op->options, bad);
}

/* Appends PATH with overlayfs's separators escaped. */
static void append_path(char *text, const char *path)
{
	char *end = text + strlen(text);

	for (; *path; path++) {
		if (strchr("\\:,", *path))
			*end++ = '\\';
		*end++ = *path;
	}
	*end = '\0';
}

/* Before 6.5 overlayfs takes its layers as one string, of at most a page, by mount(2). */
static int overlay_by_string(struct run *run, const struct op_overlay *op)
{
	size_t size = 64 + 2 * strlen(op->upper) + 2 * strlen(op->work);
	unsigned long flags = 0;
	char *text;
	int result, err;

	for (uint32_t i = 0; i < op->lowers.n; i++)
		size += 2 * strlen(op->lowers.v[i]) + 1;
	for (uint32_t i = 0; i < op->options.n; i++)
		size += strlen(op->options.v[i]) + 1;
	text = malloc(size);
	if (!text)
		return fail(run, ENOMEM, "overlay %s", op->target);
	strcpy(text, "lowerdir=");
	for (uint32_t i = 0; i < op->lowers.n; i++) {
		strcat(text, i ? ":" : "");
		append_path(text, op->lowers.v[i]);
	}
	if (*op->upper) {
		append_path(strcat(text, ",upperdir="), op->upper);
		append_path(strcat(text, ",workdir="), op->work);
	}
	for (uint32_t i = 0; i < op->options.n; i++)
		strcat(strcat(text, ","), op->options.v[i]);
	flags |= op->attrs & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0;
	flags |= op->attrs & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0;
	flags |= op->attrs & MOUNT_ATTR_NODEV ? MS_NODEV : 0;
	flags |= op->attrs & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0;
	result = mount("overlay", op->target, "overlay", flags, text);
	err = errno;
	free(text);
	return result == 0 ? 0 : fail(run, err, "overlay on %s of %u layers", op->target, op->lowers.n);
}

/* overlayfs wants two layers, or an upper directory: one layer alone is itself, read-only. */
static int single_layer(struct run *run, const struct op_overlay *op)
{
	autoclose tree = open_tree(AT_FDCWD, op->lowers.v[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || set_attributes(tree, 0, op->attrs | MOUNT_ATTR_RDONLY, 0, 0, -1) != 0)
		return fail(run, errno, "layer %s", op->lowers.v[0]);
	if (move_mount(tree, "", AT_FDCWD, op->target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return fail(run, errno, "mount on %s", op->target);
	return 0;
}

int do_overlay(struct run *run, const struct op_overlay *op)
{
	autoclose fs = -1;
	autoclose mount = -1;
	const char *bad = NULL;
	char message[256];

	if (op->lowers.n == 1 && !*op->upper)
		return single_layer(run, op);
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fail(run, errno, "filesystem type overlay");
	fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (add_layers(fs, op, &bad) != 0) {
		int err = errno;

		if (err == EINVAL)
			return overlay_by_string(run, op);
		return fail(run, err, "overlay on %s: %s%s", op->target, bad, context_message(fs, message, sizeof(message)));
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
		int err = errno;

		return fail(run, err, "overlay on %s%s", op->target, context_message(fs, message, sizeof(message)));
	}
	mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)op->attrs);
	if (mount < 0 || move_mount(mount, "", AT_FDCWD, op->target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return fail(run, errno, "mount on %s", op->target);
	return 0;
}

/* In a user namespace without its own network namespace the kernel refuses a new sysfs: the host's, read-only as asked for, is what is left. */
static int bind_host_sysfs(struct run *run, const struct op_mount_fs *op)
{
	int tree = open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0 || set_attributes(tree, AT_RECURSIVE, op->attrs, 0, MS_PRIVATE, -1) != 0) {
		close_fd(&tree);
		return fail(run, errno, "bind of the host's sysfs");
	}
	return tree;
}

int do_mount_fs(struct run *run, const struct op_mount_fs *op)
{
	autoclose target = open_target(run, op->root, op->target, op->fstype, op->create ? CREATE_DIRECTORY : CREATE_NO);
	autoclose mount = -1;

	if (target < 0)
		return -1;
	mount = new_mount(run, op->fstype, op->source, &op->options, op->attrs);
	if (mount < 0 && op->flags & 1 && (run->failed.err == EPERM || run->failed.err == EBUSY)) {
		run->failed.index = NO_OP;
		mount = bind_host_sysfs(run, op);
	}
	if (mount < 0)
		return -1;
	if (set_attributes(mount, 0, 0, 0, op->propagation, -1) != 0 || attach(mount, target) != 0)
		return fail(run, errno, "mount %s on %s", op->fstype, op->target);
	return 0;
}

static int clone_source(struct run *run, const struct op_mount_bind *op)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0);
	int tree;

	if (op->source_fd != NO_SLOT) {
		/* A path beside the slot is below it: a subdirectory of a volume, which the container may have changed. */
		autoclose fd = run->slots[op->source_fd] < 0 ? -1 : open_in_root(run->slots[op->source_fd], op->source, 0, 0, CREATE_NO);

		tree = fd < 0 ? -1 : open_tree(fd, "", flags | AT_EMPTY_PATH);
	} else {
		flags |= op->flags & 2 ? AT_SYMLINK_NOFOLLOW : 0;
		tree = open_tree(AT_FDCWD, op->source, flags);
		if (tree < 0 && errno == ENOENT && op->flags & 1 && make_directories(op->source, 0755) == 0)
			tree = open_tree(AT_FDCWD, op->source, flags);
	}
	if (tree < 0)
		return fail(run, errno, "bind source %s", op->source);
	return tree;
}

int do_mount_bind(struct run *run, const struct op_mount_bind *op)
{
	autoclose tree = clone_source(run, op);
	autoclose target = -1;
	enum create_kind create = op->create == 3 ? CREATE_FILE : (enum create_kind)op->create;
	int userns = op->userns == NO_SLOT ? -1 : run->slots[op->userns];
	struct stat source, at;

	if (tree < 0)
		return -1;
	if (op->userns != NO_SLOT && userns < 0)
		return fail(run, EBADF, "user namespace slot %u is empty", op->userns);
	if (fstat(tree, &source) != 0)
		return fail(run, errno, "bind source %s", op->source);
	if (op->create == 3 && S_ISDIR(source.st_mode))
		create = CREATE_DIRECTORY;
	target = open_target(run, op->root, op->target, NULL, create);
	if (target < 0)
		return -1;
	if (set_attributes(tree, 0, op->set, op->clear, 0, userns) != 0 || set_attributes(tree, AT_RECURSIVE, op->rec_set, op->rec_clear, 0, -1) != 0)
		return fail(run, errno, "attributes of the bind of %s on %s", op->source, op->target);
	if (set_attributes(tree, 0, 0, 0, op->propagation, -1) != 0)
		return fail(run, errno, "propagation of the bind of %s on %s", op->source, op->target);
	if (attach(tree, target) == 0)
		return 0;
	/* The kernel says EINVAL to this too. */
	if ((errno == EINVAL || errno == ENOTDIR) && fstat(target, &at) == 0 && S_ISDIR(source.st_mode) != S_ISDIR(at.st_mode))
		return fail(run, ENOTDIR, "bind %s on %s: the source is %s, the target is %s", op->source, op->target,
			    S_ISDIR(source.st_mode) ? "a directory" : "not a directory", S_ISDIR(at.st_mode) ? "a directory" : "not a directory");
	return fail(run, errno, "bind %s on %s", op->source, op->target);
}

int do_mount_setattr(struct run *run, const struct op_mount_setattr *op)
{
	int root = root_fd(run, op->root);
	autoclose target = root < 0 ? -1 : open_in_root(root, op->target, 0, 0, CREATE_NO);

	if (target < 0 || set_attributes(target, op->recursive ? AT_RECURSIVE : 0, op->set, op->clear, op->propagation, -1) != 0)
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
	autoclose target = open_target(run, op->root, op->target, "tmpfs", CREATE_DIRECTORY);
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
	if (set_attributes(tmpfs, AT_RECURSIVE, op->attrs, 0, 0, -1) != 0)
		return fail(run, errno, "attributes of %s", op->target);
	return 0;
}
