/* Bind sources for a container with a user namespace of its own. Its init has no rights over the host's files: a source below a directory
 * that its ids may not enter is closed to it, and so is the mapping of ids, which is a right over the source's filesystem. A helper keeps the
 * rights of the runtime. It opens a source where the init would see it, in the init's mount namespace, since it may be one of the mounts made
 * there; and it hands over a detached bind, never a path. It makes devices too, which a user namespace may not. It ends when nobody can ask any more. */
#include "mount.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* --- user namespaces that are id maps ----------------------------------------------------------------------------------- */

static int write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_fd(open(path, O_WRONLY | O_CLOEXEC), text, strlen(text));
}

/* A child of its own in a new user namespace, which lives until END is closed. */
static pid_t child_in_userns(int wait, int end)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	char byte;

	if (pid != 0)
		return pid;
	close(end);
	while (read(wait, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

int do_userns(struct run *run, const struct op_userns *op)
{
	char path[64];
	int ends[2], fd = -1, err = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(run, errno, "user namespace for an id-mapped mount");
	pid = child_in_userns(ends[0], ends[1]);
	close(ends[0]);
	if (pid < 0) {
		err = errno;
		close(ends[1]);
		return fail(run, err, "user namespace for an id-mapped mount");
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (write_map(pid, "uid_map", op->uids) != 0 || write_map(pid, "gid_map", op->gids) != 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		err = errno;
	close(ends[1]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (fd < 0)
		return fail(run, err, "id mappings of a mount: uids %s, gids %s", op->uids, op->gids);
	return put_slot(run, op->out, fd);
}

/* --- the helper ----------------------------------------------------------------------------------------------------------- */

struct answer {
	int32_t err;
	int32_t mapping; /* it was the mapping of ids that failed */
};
struct message {
	struct source_request source;
	struct node_request {
		uint32_t mode, major, minor, uid, gid; /* mode 0: a source is asked for */
	} node;
	char path[PROGRAM_MAX_PATH + 1];
};
/* What the helper has, besides the run's slots. */
struct helper {
	int host; /* the mount namespace that it was born in */
	int nodes; /* a tmpfs for devices, in a mount namespace of its own: a bind is made of a mount of one's own namespace */
	int own; /* that namespace; -1 until the first device */
	unsigned made;
};

static int open_source(struct run *run, const struct message *message, int ns, struct answer *answer)
{
	const struct source_request *request = &message->source;
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (request->recursive ? AT_RECURSIVE : 0) | (request->nofollow ? AT_SYMLINK_NOFOLLOW : 0);
	int userns = request->userns < PROGRAM_MAX_SLOTS ? run->slots[request->userns] : -1;
	int tree = setns(ns, CLONE_NEWNS) != 0 ? -1 : open_tree(AT_FDCWD, message->path, flags);

	if (tree < 0) {
		answer->err = errno;
	} else if (request->userns != NO_SLOT && map_ids(tree, userns, request->map_tree) != 0) {
		answer->err = errno;
		answer->mapping = 1;
	}
	return tree;
}

/* The filesystem belongs to the helper's user namespace: devices on it can be opened. 0 or -1 (errno). */
static int prepare_nodes(struct helper *helper)
{
	autoclose fs = -1;

	if (setns(helper->own >= 0 ? helper->own : helper->host, CLONE_NEWNS) != 0)
		return -1;
	if (helper->own >= 0)
		return 0;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) != 0)
		return -1;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return -1;
	helper->nodes = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (helper->nodes < 0 || move_mount(helper->nodes, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return -1;
	helper->own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return helper->own < 0 ? -1 : 0;
}

static int make_node(struct helper *helper, const struct node_request *node, struct answer *answer)
{
	char name[16];
	int tree = -1;

	snprintf(name, sizeof(name), "%u", helper->made++);
	if (prepare_nodes(helper) == 0 && mknodat(helper->nodes, name, node->mode, makedev(node->major, node->minor)) == 0 &&
	    fchownat(helper->nodes, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) == 0)
		tree = open_tree(helper->nodes, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		answer->err = errno;
	return tree;
}

_Noreturn static void serve(struct run *run, int socket)
{
	struct helper helper = { .host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), .nodes = -1, .own = -1 };
	struct message message;

	prctl(PR_SET_DUMPABLE, 0);
	for (;;) {
		struct answer answer = { 0 };
		autoclose ns = -1;
		autoclose tree = -1;
		ssize_t n = receive_descriptor(socket, &message, sizeof(message), &ns);

		if (n != (ssize_t)sizeof(message))
			_exit(n == 0 ? 0 : 1);
		message.path[PROGRAM_MAX_PATH] = '\0';
		tree = message.node.mode ? make_node(&helper, &message.node, &answer) : open_source(run, &message, ns, &answer);
		/* With a failed mapping the tree goes over too: it says which filesystem it is of. */
		if (send_descriptor(socket, &answer, sizeof(answer), tree) != 0)
			_exit(1);
	}
}

int do_mount_helper(struct run *run, const struct op_mount_helper *op)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(run, errno, "socket of the mount helper");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		close_fd(&run->conn); /* its end is the runtime's news */
		serve(run, pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		int err = errno;

		close(pair[0]);
		return fail(run, err, "fork of the mount helper");
	}
	return put_slot(run, op->out, pair[0]);
}

/* 0, with *TREE (a failed mapping has one too, else -1) and what the helper answered; -1 after fail(). */
static int ask(struct run *run, uint32_t slot, const struct message *message, struct answer *answer, int *tree)
{
	autoclose ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	*tree = -1;
	if (run->slots[slot] < 0)
		return fail(run, EBADF, "slot %u of the mount helper is empty", slot);
	if (ns < 0 || send_descriptor(run->slots[slot], message, sizeof(*message), ns) != 0 ||
	    receive_descriptor(run->slots[slot], answer, sizeof(*answer), tree) != (ssize_t)sizeof(*answer))
		return fail(run, errno, "mount helper");
	return 0;
}

int ask_helper(struct run *run, uint32_t slot, const char *path, const struct source_request *request)
{
	struct message message = { .source = *request };
	struct answer answer;
	int tree;

	snprintf(message.path, sizeof(message.path), "%s", path);
	if (ask(run, slot, &message, &answer, &tree) != 0 || answer.err == 0)
		return tree;
	if (answer.mapping)
		fail_map_ids(run, answer.err, tree, path);
	else
		fail(run, answer.err, "bind source %s", path);
	close_fd(&tree);
	return -1;
}

int ask_helper_for_node(struct run *run, uint32_t slot, const struct op_mknod_in *op)
{
	struct message message = { .node = { op->mode, op->major, op->minor, op->uid, op->gid } };
	struct answer answer;
	int tree;

	if (ask(run, slot, &message, &answer, &tree) != 0 || answer.err == 0 || answer.err == EPERM)
		return tree;
	return fail(run, answer.err, "device %s", op->path);
}

/* --- sources of other mount namespaces --------------------------------------------------------------------------------- */

int clone_elsewhere(const char *source, unsigned flags)
{
	char name[64];
	int target = 0, skip = 0, pair[2], err = EINVAL, tree = -1;
	autoclose ns = -1;
	pid_t pid;

	if (sscanf(source, "/proc/%d/root%n", &target, &skip) != 1 || skip == 0 || source[skip] != '/') {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, sizeof(name), "/proc/%d/ns/mnt", target);
	ns = open(name, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		tree = setns(ns, CLONE_NEWNS) == 0 ? open_tree(AT_FDCWD, source + skip, flags) : -1;
		err = tree < 0 ? errno : 0;
		_exit(send_descriptor(pair[1], &err, sizeof(err), tree) != 0);
	}
	close(pair[1]);
	if (pid < 0 || receive_descriptor(pair[0], &err, sizeof(err), &tree) != (ssize_t)sizeof(err))
		err = errno;
	close(pair[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = err;
	return tree;
}
