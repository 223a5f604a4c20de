/* The end of the init's program: working directory, look-up, execve; and the init that stays (docker --init). */
#include "monitor.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define REAPER_SHOWN_WORDS 64

#ifndef AT_EACCESS
#define AT_EACCESS 0x200
#endif

int do_chdir(struct run *run, const struct op_chdir *op)
{
	char cwd[PROGRAM_MAX_PATH + 1];
	int root = root_fd(run, NO_SLOT);
	autoclose dir = -1;
	bool failed;

	if (root < 0)
		return -1;
	if (op->flags & 2 && !run->chdir_denied)
		return 0;
	/* No magic links: /proc/self/fd/N could lead to a directory of the host (CVE-2024-21626). */
	dir = open_in_root(root, op->path, O_DIRECTORY, 0, CREATE_NO);
	if (dir < 0 && errno == ENOENT && op->create) {
		dir = open_in_root(root, op->path, O_DIRECTORY, 0, CREATE_DIRECTORY);
		if (dir >= 0 && fchownat(dir, "", op->uid, op->gid, AT_EMPTY_PATH) != 0)
			return fail(run, errno, "owner of the working directory %s", op->path);
	}
	failed = dir < 0 || fchdir(dir) != 0;
	run->chdir_denied = failed && errno == EACCES;
	if (run->chdir_denied && op->flags & 1)
		return 0;
	if (failed)
		return fail(run, errno, "chdir to cwd (\"%s\") set in config.json failed%s", op->path,
			    errno == ELOOP ? ": it leads through a link of /proc" : "");
	/* The system call, not libc's getcwd, which would climb from an unreachable directory and make up a path. */
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 || cwd[0] != '/')
		return fail(run, ENOENT, "current working directory is outside of container mount namespace root -- possible container breakout detected");
	return 0;
}

/* As Go's exec.findExecutable, whose errors the users of runc know. 0 or an errno. */
static int check_executable(const char *path, bool *stat_failed)
{
	struct stat st;

	*stat_failed = false;
	if (stat(path, &st) != 0) {
		*stat_failed = true;
		return errno;
	}
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) != 0 && errno != ENOSYS && errno != EPERM)
		return errno;
	return st.st_mode & 0111 ? 0 : EACCES;
}

const char *exec_error_text(int err)
{
	switch (err) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case EISDIR:
		return "is a directory";
	case ENOTDIR:
		return "not a directory";
	case ELOOP:
		return "too many levels of symbolic links";
	case ENAMETOOLONG:
		return "file name too long";
	case ENOEXEC:
		return "exec format error";
	case E2BIG:
		return "argument list too long";
	default:
		return strerror(err);
	}
}

static const char *find_in(const struct op_strs *env, const char *name)
{
	const char *value = "";
	size_t n = strlen(name);

	for (uint32_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			value = env->v[i] + n + 1;
	return value;
}

int do_lookup_exec(struct run *run, const struct op_lookup_exec *op)
{
	char path[PROGRAM_MAX_PATH + 1];
	bool stat_failed;

	if (strchr(op->file, '/')) {
		int err = check_executable(op->file, &stat_failed);

		if (err != 0)
			return fail(run, err, "exec: \"%s\": %s%s%s%s", op->file, stat_failed ? "stat " : "", stat_failed ? op->file : "",
				    stat_failed ? ": " : "", exec_error_text(err));
		run->exec_path = op->file;
		return 0;
	}
	for (const char *p = find_in(&op->env, "PATH"); *p;) {
		size_t n = strcspn(p, ":");

		if (snprintf(path, sizeof(path), "%.*s/%s", (int)n, n ? p : ".", op->file) < (int)sizeof(path) && *op->file &&
		    check_executable(path, &stat_failed) == 0) {
			if (n == 0 || *p != '/')
				return fail(run, EACCES, "exec: \"%s\": cannot run executable found relative to current directory", op->file);
			run->exec_path = strdup(path);
			return run->exec_path ? 0 : fail(run, ENOMEM, "%s", path);
		}
		p += n + (p[n] == ':');
	}
	return fail(run, ENOENT, "exec: \"%s\": executable file not found in $PATH", op->file);
}

int do_exec(struct run *run, const struct op_exec *op)
{
	char *const *env = environment_with_home(run, &op->env);
	int err;

	if (!run->exec_path || op->argv.n == 0)
		return fail(run, EINVAL, "exec without a command");
	if (!env)
		return fail(run, ENOMEM, "environment");
	if (!run->umask_set)
		umask(022);
	/* May fail: the monitor of a detached init is gone. The end of the socket says that execve succeeded. */
	if (!run->exec_sent)
		sync_send(run, SYNC_EXEC, run->current, 0, NULL, -1);
	execve(run->exec_path, (char *const *)op->argv.v, env);
	err = errno;
	return fail(run, err, "exec %s: %s", run->exec_path, exec_error_text(err));
}

/* --- docker --init --------------------------------------------------------------------------------------------------- */

/* It executes nothing, it only sends signals: of its privileges CAP_KILL is left, for a child of another user. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 1u << CAP_KILL, 1u << CAP_KILL, 0 }, { 0, 0, 0 } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	if (syscall(SYS_capset, &header, data) != 0) { /* it had less already */
		memset(data, 0, sizeof(data));
		syscall(SYS_capset, &header, data);
	}
}

/* Pid 1 from here on: hands every signal to CHILD, reaps what is orphaned, ends as CHILD ends. */
_Noreturn static void reap_forever(pid_t child, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status;
		pid_t pid;

		if (sigwaitinfo(all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			/* Signals of the terminal reach the child's group by themselves; ours would be a second one. */
			if (info.si_code != SI_KERNEL)
				kill(child, info.si_signo);
			continue;
		}
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == child)
				_exit(exit_code(status));
	}
}

/* Inside it looks as docker's: the name of an init and what it runs. The monitor's title names things of the host. */
static void show_command(const struct run *run)
{
	const char *words[REAPER_SHOWN_WORDS] = { "--" };
	size_t n = 1;

	for (uint32_t i = run->current; i < run->nops; i++) {
		if (run->ops[i].code != OP_EXEC)
			continue;
		for (uint32_t j = 0; j < run->ops[i].args.exec.argv.n && n < REAPER_SHOWN_WORDS; j++)
			words[n++] = run->ops[i].args.exec.argv.v[j];
		break;
	}
	process_command_line("/sbin/docker-init", words, n);
}

int do_reaper(struct run *run)
{
	sigset_t all, none;
	pid_t child;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	child = fork();
	if (child < 0)
		return fail(run, errno, "fork below the init");
	if (child > 0) {
		/* Ours are only stdio; the descriptors that lead to the monitor belong to the child, whose execve closes them. */
		syscall(SYS_close_range, 3u, ~0u, 0u);
		prctl(PR_SET_NAME, "docker-init");
		show_command(run);
		drop_privileges();
		reap_forever(child, &all);
	}
	/* A group of its own, in the foreground of the terminal, as a shell does. */
	setpgid(0, 0);
	if (isatty(0))
		tcsetpgrp(0, getpgrp());
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}
