/* The pty of a container: opened in its own devpts, whose files an image may have replaced by anything (CVE-2025-52565), so each is
 * shown to be what it should be before it is used. */
#include "mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define PTMX_MAJOR 5 /* Linux's devices.txt: /dev/ptmx is 5:2, ptys are 136–143 */
#define PTMX_MINOR 2
#define PTS_MAJOR 136
#define PTS_MAJOR_LAST 143

static bool in_devpts(int fd, struct stat *st)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC && fstat(fd, st) == 0 && S_ISCHR(st->st_mode);
}

static int open_master(struct run *run, int root)
{
	int fd = sys_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd < 0)
		return fail(run, errno, "/dev/pts/ptmx");
	if (!in_devpts(fd, &st) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR)) {
		close(fd);
		return fail(run, EPERM, "/dev/pts/ptmx of the container is not in a devpts");
	}
	return fd;
}

static int open_slave(struct run *run, int master)
{
	int unlock = 0, fd;
	struct stat st;

	if (ioctl(master, TIOCSPTLCK, &unlock) != 0)
		return fail(run, errno, "unlock of the pty");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(run, errno, "pty");
	if (!in_devpts(fd, &st) || major(st.st_rdev) < PTS_MAJOR || major(st.st_rdev) > PTS_MAJOR_LAST) {
		close(fd);
		return fail(run, EPERM, "the pty of the container is not in a devpts");
	}
	return fd;
}

static int bind_console(struct run *run, int root, int slave)
{
	char name[256];
	autoclose dev = open_parent_in_root(root, "dev/console", 0, true, name);
	autoclose target = -1;
	autoclose tree = -1;
	struct stat st;

	if (dev < 0)
		return fail(run, errno, "/dev/console");
	if (mknodat(dev, name, S_IFREG | 0600, 0) != 0 && errno != EEXIST)
		return fail(run, errno, "/dev/console");
	target = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) != 0)
		return fail(run, errno, "/dev/console");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return fail(run, EPERM, "/dev/console of the container is neither a file nor a device");
	tree = open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0 || attach(tree, target) != 0)
		return fail(run, errno, "bind of the pty on /dev/console");
	return 0;
}

/* To whoever asked for it by a console socket (the protocol of runc: the name as data, the descriptor beside it), or to the monitor. */
static int hand_over_master(struct run *run, uint32_t console_socket, int master)
{
	static const char name[] = "/dev/ptmx";

	if (console_socket == NO_SLOT)
		return sync_send(run, SYNC_PTY, run->current, 0, NULL, master);
	return send_descriptor(run->slots[console_socket], name, sizeof(name) - 1, master);
}

int do_terminal(struct run *run, const struct op_terminal *op)
{
	struct winsize size = { .ws_row = (unsigned short)op->rows, .ws_col = (unsigned short)op->cols };
	int root = root_fd(run, op->root);
	autoclose master = root < 0 ? -1 : open_master(run, root);
	autoclose slave = master < 0 ? -1 : open_slave(run, master);

	if (slave < 0)
		return -1;
	if (op->rows && op->cols && ioctl(master, TIOCSWINSZ, &size) != 0)
		return fail(run, errno, "size of the terminal");
	if (op->console && bind_console(run, root, slave) != 0)
		return -1;
	if (hand_over_master(run, op->console_socket, master) != 0)
		return fail(run, errno, "hand-over of the terminal");
	if (ioctl(slave, TIOCSCTTY, 0) != 0)
		return fail(run, errno, "controlling terminal");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			return fail(run, errno, "terminal as descriptor %d", fd);
	return 0;
}
