/* The new root: how it is entered, and what of it is hidden or write-protected. */
#include "mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* Once the container's root is ours, /proc is the container's too: what writes to procfs later needs one of its own, and in a user namespace
 * the kernel gives one out only while the host's is in sight. A failure here is the later operation's to report. */
static void keep_procfs(struct run *run)
{
	for (uint32_t i = run->current; i < run->nops; i++) {
		uint16_t code = run->ops[i].code;

		if (run->ops[i].side != SIDE_INIT || (code != OP_LABEL && code != OP_SYSCTL && code != OP_OOM_SCORE_ADJ))
			continue;
		(void)open_private_proc(run);
		return;
	}
}

static void enter_root(struct run *run)
{
	close_fd(&run->root_dir); /* of the old one */
	run->pivoted = true;
}

int do_pivot_root(struct run *run, const struct op_pivot_root *op)
{
	autoclose old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int new = root_fd(run, op->root);

	if (old < 0 || new < 0)
		return fail(run, errno, "root directory");
	keep_procfs(run);
	/* The old root comes to lie over the new one, so that no directory is needed for it (pivot_root(2), pivot_root(".", ".")). */
	if (fchdir(new) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
		return fail(run, errno, "pivot_root");
	enter_root(run);
	/* Private first: the detach must not reach the host. */
	if (fchdir(old) != 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) != 0 || umount2(".", MNT_DETACH) != 0)
		return fail(run, errno, "detach of the old root");
	if (fchdir(new) != 0 || chdir("/") != 0)
		return fail(run, errno, "chdir to the new root");
	return 0;
}

int do_chroot(struct run *run, const struct op_chroot *op)
{
	int new = root_fd(run, op->root);

	if (new < 0)
		return -1;
	keep_procfs(run);
	if (!run->in_init)
		run->self_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fchdir(new) != 0 || chroot(".") != 0 || chdir("/") != 0)
		return fail(run, errno, "chroot");
	enter_root(run);
	return 0;
}

/* The next word of *TEXT with its octal escapes (proc_pid_mountinfo(5)) undone in place; NULL at the end. */
static char *mountinfo_word(char **text)
{
	char *word = strsep(text, " "), *out = word;

	for (char *in = word; in && *in; out++) {
		unsigned code;

		if (*in == '\\' && sscanf(in + 1, "%3o", &code) == 1) {
			*out = (char)code;
			in += 4;
		} else {
			*out = *in++;
		}
	}
	if (out)
		*out = '\0';
	return word;
}

/* The mount point when LINE is a whole procfs or sysfs that is not below ROOT; else NULL. */
static const char *whole_kernel_tree(char *line, const char *root)
{
	char *words[5], *type;
	size_t n = strlen(root);

	for (size_t i = 0; i < 5; i++)
		words[i] = mountinfo_word(&line);
	type = line ? strstr(line, " - ") : NULL;
	if (!type || strcmp(words[3], "/") != 0 || (strncmp(type + 3, "proc ", 5) != 0 && strncmp(type + 3, "sysfs ", 6) != 0))
		return NULL;
	return strncmp(words[4], root, n) == 0 && (words[4][n] == '/' || words[4][n] == '\0') ? NULL : words[4];
}

/* Below a chroot the host's mounts stay in the namespace. The kernel gives a new procfs or sysfs to a user namespace whose mounts show a
 * whole one (mount_too_revealing): with the host's in sight the container would get one without its masks. */
static int hide_kernel_trees(struct run *run, int new)
{
	char link[32], root[PROGRAM_MAX_PATH + 1], *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *mounts;
	int err = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", new);
	n = readlink(link, root, sizeof(root) - 1);
	mounts = n < 0 ? NULL : fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return fail(run, errno, "mounts of the host");
	root[n] = '\0';
	while (err == 0 && getline(&line, &size, mounts) > 0) {
		const char *point = whole_kernel_tree(line, root);

		if (!point)
			continue;
		/* Slave first: it must not go away on the host. What is gone already lay below another one. */
		if (mount(NULL, point, NULL, MS_SLAVE | MS_REC, NULL) != 0)
			err = errno == ENOENT || errno == EINVAL ? 0 : errno;
		else if (umount2(point, MNT_DETACH) != 0)
			err = (errno == EINVAL || errno == EPERM) && mount("tmpfs", point, "tmpfs", 0, NULL) == 0 ? 0 : errno;
		if (err != 0)
			fail(run, err, "unmount of the host's %s", point);
	}
	free(line);
	fclose(mounts);
	return err == 0 ? 0 : -1;
}

int do_move_root(struct run *run, const struct op_move_root *op)
{
	int new = root_fd(run, op->root);

	if (new < 0)
		return -1;
	keep_procfs(run);
	if (hide_kernel_trees(run, new) != 0)
		return -1;
	if (fchdir(new) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0)
		return fail(run, errno, "move of the root mount");
	if (chroot(".") != 0 || chdir("/") != 0)
		return fail(run, errno, "chroot");
	enter_root(run);
	return 0;
}

/* --- hidden and read-only paths --------------------------------------------------------------------------------------- */

static bool is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* A detached bind of the container's /dev/null, which is an image's file until it is shown to be the device (CVE-2025-31133). */
static int null_mount(struct run *run)
{
	int tree;

	if (run->null_fd < 0) {
		run->null_fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (run->null_fd < 0)
			return fail(run, errno, "/dev/null");
		if (!is_null_device(run->null_fd)) {
			close_fd(&run->null_fd);
			return fail(run, EPERM, "/dev/null of the container is not the null device");
		}
	}
	tree = open_tree(run->null_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return fail(run, errno, "bind of /dev/null");
	if (is_null_device(tree))
		return tree;
	close(tree);
	return fail(run, EPERM, "/dev/null of the container is not the null device");
}

/* One empty filesystem for all hidden directories: the first gets it, each other one a bind of that. */
static int empty_mount(struct run *run)
{
	static const char *limits[] = { "nr_blocks=1", "nr_inodes=1" };
	struct op_strs options = { limits, 2 };
	int tree = run->empty_fd < 0 ? -1 : open_tree(run->empty_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree >= 0)
		return tree;
	return new_mount(run, "tmpfs", "tmpfs", &options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int do_mask_path(struct run *run, const struct op_mask_path *op)
{
	int root = root_fd(run, NO_SLOT);
	autoclose target = root < 0 ? -1 : open_in_root(root, op->path, 0, 0, CREATE_NO);
	autoclose cover = -1;
	struct stat st;

	if (target < 0 && (errno == ENOENT || errno == ENOTDIR) && root >= 0)
		return 0;
	if (target < 0 || fstat(target, &st) != 0)
		return fail(run, errno, "masked path %s", op->path);
	cover = S_ISDIR(st.st_mode) ? empty_mount(run) : null_mount(run);
	if (cover < 0)
		return -1;
	if (attach(cover, target) != 0)
		return fail(run, errno, "masked path %s", op->path);
	if (S_ISDIR(st.st_mode) && run->empty_fd < 0) {
		run->empty_fd = cover;
		cover = -1;
	}
	return 0;
}

int do_readonly_path(struct run *run, const struct op_readonly_path *op)
{
	int root = root_fd(run, NO_SLOT);
	autoclose target = root < 0 ? -1 : open_in_root(root, op->path, 0, 0, CREATE_NO);
	autoclose tree = -1;

	if (target < 0 && (errno == ENOENT || errno == ENOTDIR) && root >= 0)
		return 0;
	if (target < 0)
		return fail(run, errno, "read-only path %s", op->path);
	tree = open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0 || set_attributes(tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0) != 0 || attach(tree, target) != 0)
		return fail(run, errno, "read-only path %s", op->path);
	return 0;
}
