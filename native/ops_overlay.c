/* The root of layers, by the new mount API, or by mount(2) on kernels before 6.5. */
#include "mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	if (tree < 0 || set_attributes(tree, 0, op->attrs | MOUNT_ATTR_RDONLY, 0, 0) != 0)
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
