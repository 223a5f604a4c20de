/* The end of the init's program: working directory, look-up, execve. */
#include "monitor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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
