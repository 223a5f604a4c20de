/* The processes of `strake:system`: this one, and those that it starts. */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum identity { IDENTITY_PID, IDENTITY_PARENT, IDENTITY_USER, IDENTITY_GROUP };

static JSValue identity(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int which)
{
	(void)self;
	(void)argc;
	(void)argv;
	switch (which) {
	case IDENTITY_PID:
		return JS_NewInt32(ctx, getpid());
	case IDENTITY_PARENT:
		return JS_NewInt32(ctx, getppid());
	case IDENTITY_USER:
		return JS_NewInt64(ctx, geteuid());
	default:
		return JS_NewInt64(ctx, getegid());
	}
}

static JSValue working_directory(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char path[PATH_MAX];

	(void)self;
	(void)argc;
	(void)argv;
	return getcwd(path, sizeof(path)) ? JS_NewString(ctx, path) : JS_NewInt32(ctx, -errno);
}

/* environment(): NAME=VALUE each */
static JSValue environment(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSValue variables = JS_NewArray(ctx);

	(void)self;
	(void)argc;
	(void)argv;
	for (uint32_t i = 0; environ[i]; i++)
		JS_SetPropertyUint32(ctx, variables, i, JS_NewString(ctx, environ[i]));
	return variables;
}

static JSValue send_signal(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t pid, signal;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &pid, argv[0]) || JS_ToInt32(ctx, &signal, argv[1]))
		return JS_EXCEPTION;
	return result_of(ctx, kill(pid, signal));
}

static JSValue leave(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t status;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &status, argv[0]))
		return JS_EXCEPTION;
	_exit(status);
}

_Noreturn static void become(char **command, int out, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(out, 1);
	dup2(err, 2);
	syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC); /* the connection to the front, and what the caller preserves */
	execvp(command[0], command);
	_exit(127);
}

/* What comes from two pipes until both have ended. False with errno set. */
static bool drain(int fds[2], struct bytes to[2])
{
	struct pollfd polled[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
	uint8_t piece[16384];

	while (polled[0].fd >= 0 || polled[1].fd >= 0) {
		if (poll(polled, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		for (size_t i = 0; i < 2; i++) {
			ssize_t n = polled[i].fd >= 0 && polled[i].revents ? read(polled[i].fd, piece, sizeof(piece)) : -1;

			if (n == 0)
				polled[i].fd = -1;
			if (n > 0 && (to[i].length + (size_t)n > MAX_FILE_BYTES || !append(&to[i], piece, (size_t)n))) {
				errno = ENOMEM;
				return false;
			}
		}
	}
	return true;
}

/* spawn(name, argument…): [wait status, stdout, stderr], searched for in PATH; 127 << 8 where there is no such program */
static JSValue spawn(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct bytes output[2] = { { 0 }, { 0 } };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, status = 0;
	int have = 0;
	char **command = calloc((size_t)argc + 1, sizeof(*command));
	JSValue answer = JS_EXCEPTION;
	pid_t pid;

	(void)self;
	if (!command)
		return JS_ThrowOutOfMemory(ctx);
	for (; have < argc; have++)
		if (!(command[have] = (char *)(uintptr_t)c_string(ctx, argv[have])))
			goto done;
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		answer = JS_NewInt32(ctx, -errno);
		goto done;
	}
	if (pid == 0)
		become(command, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	out[1] = err[1] = -1;
	if (!drain((int[]){ out[0], err[0] }, output)) {
		answer = JS_NewInt32(ctx, -errno);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (JS_IsException(answer)) {
		answer = JS_NewArray(ctx);
		JS_SetPropertyUint32(ctx, answer, 0, JS_NewInt32(ctx, status));
		for (uint32_t i = 0; i < 2; i++)
			JS_SetPropertyUint32(ctx, answer, i + 1, JS_NewStringLen(ctx, (const char *)output[i].data, output[i].length));
	}
done:
	for (size_t i = 0; i < 2; i++) {
		if (out[i] >= 0)
			close(out[i]);
		if (err[i] >= 0)
			close(err[i]);
		free(output[i].data);
	}
	while (have > 0)
		JS_FreeCString(ctx, command[--have]);
	free(command);
	return answer;
}

const JSCFunctionListEntry process_calls[] = {
	JS_CFUNC_MAGIC_DEF("pid", 0, identity, IDENTITY_PID),
	JS_CFUNC_MAGIC_DEF("parentPid", 0, identity, IDENTITY_PARENT),
	JS_CFUNC_MAGIC_DEF("effectiveUser", 0, identity, IDENTITY_USER),
	JS_CFUNC_MAGIC_DEF("effectiveGroup", 0, identity, IDENTITY_GROUP),
	JS_CFUNC_DEF("workingDirectory", 0, working_directory),
	JS_CFUNC_DEF("environment", 0, environment),
	JS_CFUNC_DEF("kill", 2, send_signal),
	JS_CFUNC_DEF("exit", 1, leave),
	JS_CFUNC_DEF("spawn", 1, spawn),
};
const int process_call_count = COUNT(process_calls);
