/*
 * world-enter HOLDER DIRECTORY… -- COMMAND…: joins the cgroup of each DIRECTORY, then the namespaces, the root and the
 * working directory of the process HOLDER (0: of none), and runs COMMAND there; its exit status is ours, its signal too.
 * A process that enters a cgroup namespace from outside would see itself in "/..": the cgroups come first. A world with
 * v2 controllers has a leaf for its processes. What env, sh and nsenter do in four program starts costs one here, which
 * counts where a start takes 100 ms.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "world-enter: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void join_cgroup(const char *dir)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/processes/cgroup.procs", dir);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
		fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static int open_of(const char *holder, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%s/%s", holder, name);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static void enter(const char *holder)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(holder), 0);
	if (pidfd < 0)
		die(holder);
	int root = open_of(holder, "root"), cwd = open_of(holder, "cwd");
	if (setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP) < 0)
		die("setns");
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(cwd) < 0)
		die("chroot");
	close(pidfd);
	close(root);
	close(cwd);
}

/* Waits as a shell does: a child that stops stops us, and goes on with us. */
static void become(pid_t child)
{
	int status;
	for (;;) {
		if (waitpid(child, &status, WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			die("waitpid");
		}
		if (!WIFSTOPPED(status))
			break;
		kill(getpid(), SIGSTOP);
		kill(child, SIGCONT);
	}
	if (WIFSIGNALED(status)) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(status), SIG_DFL);
		kill(getpid(), WTERMSIG(status));
	}
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv)
{
	int next = 2;
	while (next < argc && strcmp(argv[next], "--") != 0)
		join_cgroup(argv[next++]);
	if (next + 1 >= argc) {
		fprintf(stderr, "usage: world-enter HOLDER DIRECTORY… -- COMMAND…\n");
		return 125;
	}
	char **command = argv + next + 1;
	if (strcmp(argv[1], "0") != 0) {
		enter(argv[1]);
		/* only a child is in the pid namespace */
		pid_t child = fork();
		if (child < 0)
			die("fork");
		if (child > 0)
			become(child);
	}
	execvp(command[0], command);
	fprintf(stderr, "world-enter: %s: %s\n", command[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
