/* The root of layers, by the new mount API, or by mount(2) on kernels before 6.5. */
#include "mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

static int layer(int fs, const char *key, const char *path)
{
	autoclose fd = -1;

	if (strlen(path) <= CONFIG_STRING_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* layers by descriptor: since 6.13 */
	return fd < 0 ? -1 : fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd);
}

static int add_lowers(int fs, const struct op_strs *lowers, uint32_t first, uint32_t end, const char **bad)
{
	for (uint32_t i = first; i < end; i++) {
		*bad = lowers->v[i];
		if (layer(fs, "lowerdir+", *bad) != 0)
			return -1;
	}
	return 0;
}

static int add_upper(int fs, const char *upper, const char *work, const struct op_strs *options, const char **bad)
{
	*bad = upper;
	if (*upper && layer(fs, "upperdir", upper) != 0)
		return -1;
	*bad = work;
	if (*work && layer(fs, "workdir", work) != 0)
		return -1;
	return configure(fs, options, bad);
}

/* 0 or -1 (errno; *BAD names what was refused). */
static int add_layers(int fs, const struct op_overlay *op, const char **bad)
{
	if (add_lowers(fs, &op->lowers, 0, op->lowers.n, bad) != 0)
		return -1;
	return add_upper(fs, op->upper, op->work, &op->options, bad);
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

	if (tree < 0 || set_attributes(tree, 0, op->attrs | MOUNT_ATTR_RDONLY, 0, 0) != 0)
		return fail(run, errno, "layer %s", op->lowers.v[0]);
	if (move_mount(tree, "", AT_FDCWD, op->target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return fail(run, errno, "mount on %s", op->target);
	return 0;
}

/* Where overlayfs cannot make its directory in WORK, it mounts read-only without a word. */
static int check_room(struct run *run, int mount, const char *upper, const char *work, uint64_t attrs)
{
	struct statfs fs;

	if (!*upper || (attrs & MOUNT_ATTR_RDONLY))
		return 0;
	if (fstatfs(mount, &fs) != 0)
		return fail(run, errno, "overlay above %s", upper);
	return fs.f_flags & ST_RDONLY ? fail(run, ENOSPC, "overlay above %s: its work directory %s", upper, work) : 0;
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
	if (mount < 0)
		return fail(run, errno, "mount on %s", op->target);
	if (check_room(run, mount, op->upper, op->work, op->attrs) != 0)
		return -1;
	if (move_mount(mount, "", AT_FDCWD, op->target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return fail(run, errno, "mount on %s", op->target);
	return 0;
}

/* One layer alone is itself, read-only. */
static int single_source(struct run *run, const char *path, int userns)
{
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return fail(run, errno, "layer %s", path);
	if ((userns >= 0 && map_ids(tree, userns, false) != 0) || set_attributes(tree, 0, MOUNT_ATTR_RDONLY, 0, 0) != 0) {
		fail_map_ids(run, errno, tree, path);
		close(tree);
		return -1;
	}
	return tree;
}

/* The mounts of layers from FIRST on with mapped ids, into FDS: they end with their descriptors, so those stay until overlayfs has its own. */
static int add_mapped(int fs, const struct op_strs *lowers, uint32_t first, int userns, int *fds, const char **bad)
{
	for (uint32_t i = first; i < lowers->n; i++) {
		*bad = lowers->v[i];
		fds[i] = open_tree(AT_FDCWD, *bad, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (fds[i] < 0 || map_ids(fds[i], userns, false) != 0 || fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, fds[i]) != 0)
			return -1;
	}
	return 0;
}

/* 0 or -1 (errno; *BAD names what was refused). */
static int create_mapped(int fs, const struct op_overlay_source *op, int userns, const char **bad)
{
	int *fds = malloc((op->lowers.n + 1) * sizeof(*fds));
	uint32_t plain = op->plain < op->lowers.n ? op->plain : op->lowers.n;
	int result, err;

	if (!fds)
		return -1;
	memset(fds, -1, (op->lowers.n + 1) * sizeof(*fds));
	result = add_lowers(fs, &op->lowers, 0, plain, bad);
	if (result == 0)
		result = add_mapped(fs, &op->lowers, plain, userns, fds, bad);
	if (result == 0)
		result = add_upper(fs, op->upper, op->work, &op->options, bad);
	if (result == 0) {
		*bad = "";
		result = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	}
	err = errno;
	for (uint32_t i = 0; i < op->lowers.n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
	errno = err;
	return result;
}

int do_overlay_source(struct run *run, const struct op_overlay_source *op)
{
	int userns = op->userns == NO_SLOT ? -1 : run->slots[op->userns];
	autoclose fs = -1;
	const char *bad = "";
	char message[256];
	int mount;

	if (userns < 0 && op->plain < op->lowers.n)
		return fail(run, EBADF, "user namespace slot %u is empty", op->userns);
	if (op->lowers.n == 1 && !*op->upper) {
		mount = single_source(run, op->lowers.v[0], op->plain ? -1 : userns);
		return mount < 0 ? -1 : put_slot(run, op->out, mount);
	}
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fail(run, errno, "filesystem type overlay");
	fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (create_mapped(fs, op, userns, &bad) != 0) {
		int err = errno;

		return fail(run, err, "overlay of mapped layers: %s%s", bad, context_message(fs, message, sizeof(message)));
	}
	mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)op->attrs);
	if (mount < 0)
		return fail(run, errno, "overlay of mapped layers");
	if (check_room(run, mount, op->upper, op->work, op->attrs) != 0) {
		close(mount);
		return -1;
	}
	return put_slot(run, op->out, mount);
}
