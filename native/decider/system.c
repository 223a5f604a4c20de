/* System calls for the decider's TypeScript (src/quickjs). A call that fails answers -errno, as the kernel does: what an error is called and says is
 * decided there. Paths and texts are UTF-8. */
#include "decider.h"
#include "terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MAX_FILE_BYTES (256u << 20)
#define MAX_ERRNO 133
#define NS_PER_MS 1e6

extern char **environ;

struct bytes {
	uint8_t *data;
	size_t length, room;
};

static bool append(struct bytes *to, const void *data, size_t length)
{
	if (to->length + length > to->room) {
		size_t room = (to->length + length) * 2;
		uint8_t *bigger = realloc(to->data, room);

		if (!bigger)
			return false;
		to->data = bigger;
		to->room = room;
	}
	memcpy(to->data + to->length, data, length);
	to->length += length;
	return true;
}

static JSValue result_of(JSContext *ctx, int64_t result)
{
	return JS_NewInt64(ctx, result < 0 ? -errno : result);
}

/* Latin-1 to a string. JS_NewStringLen takes UTF-8, which ASCII is. */
static JSValue latin1_string(JSContext *ctx, const uint8_t *data, size_t length)
{
	struct bytes utf8 = { 0 };
	JSValue text;
	size_t ascii = 0;

	while (ascii < length && data[ascii] < 0x80)
		ascii++;
	if (ascii == length)
		return JS_NewStringLen(ctx, (const char *)data, length);
	for (size_t i = 0; i < length; i++) {
		uint8_t pair[2] = { (uint8_t)(0xc0 | data[i] >> 6), (uint8_t)(0x80 | (data[i] & 0x3f)) };
		bool fits = data[i] < 0x80 ? append(&utf8, &data[i], 1) : append(&utf8, pair, 2);

		if (!fits) {
			free(utf8.data);
			return JS_ThrowOutOfMemory(ctx);
		}
	}
	text = JS_NewStringLen(ctx, (const char *)utf8.data, utf8.length);
	free(utf8.data);
	return text;
}

enum form { FORM_BYTES, FORM_UTF8, FORM_LATIN1 };

static JSValue in_form(JSContext *ctx, const uint8_t *data, size_t length, int form)
{
	switch (form) {
	case FORM_UTF8:
		return JS_NewStringLen(ctx, (const char *)data, length);
	case FORM_LATIN1:
		return latin1_string(ctx, data, length);
	default:
		return JS_NewArrayBufferCopy(ctx, data, length);
	}
}

/* An argument of a system call; free it with JS_FreeCString. NULL: none without a NUL byte, and an exception is thrown. */
static const char *c_string(JSContext *ctx, JSValueConst value)
{
	size_t length;
	const char *text = JS_ToCStringLen(ctx, &length, value);

	if (!text || strlen(text) == length)
		return text;
	JS_FreeCString(ctx, text);
	JS_ThrowTypeError(ctx, "a NUL byte in a path or an argument");
	return NULL;
}

/* LENGTH bytes at OFFSET of an ArrayBuffer: arguments at, at + 1, at + 2. NULL: they are not, and an exception is thrown. */
static uint8_t *range_of(JSContext *ctx, JSValueConst *argv, int at, size_t *length)
{
	uint64_t offset, wanted;
	size_t size;
	uint8_t *data = JS_GetArrayBuffer(ctx, &size, argv[at]);

	if (!data || JS_ToIndex(ctx, &offset, argv[at + 1]) || JS_ToIndex(ctx, &wanted, argv[at + 2]))
		return NULL;
	if (offset > size || wanted > size - offset) {
		JS_ThrowRangeError(ctx, "outside of the buffer");
		return NULL;
	}
	*length = wanted;
	return data + offset;
}

/* --- files -------------------------------------------------------------------------------------------------------------------------- */

/* One call with a path, and up to two numbers or a second path behind it. */
enum path_call { CALL_MKDIR, CALL_RMDIR, CALL_UNLINK, CALL_RENAME, CALL_CHMOD, CALL_ACCESS, CALL_OPEN };

static JSValue path_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int call)
{
	const char *path = c_string(ctx, argv[0]), *other = NULL;
	int32_t first = 0, second = 0;
	int64_t result = 0;

	(void)self;
	(void)argc;
	if (!path)
		return JS_EXCEPTION;
	if (call == CALL_RENAME ? !(other = c_string(ctx, argv[1])) : JS_ToInt32(ctx, &first, argv[1]) || JS_ToInt32(ctx, &second, argv[2])) {
		JS_FreeCString(ctx, path);
		return JS_EXCEPTION;
	}
	switch (call) {
	case CALL_MKDIR:
		result = mkdir(path, (mode_t)first);
		break;
	case CALL_RMDIR:
		result = rmdir(path);
		break;
	case CALL_UNLINK:
		result = unlink(path);
		break;
	case CALL_RENAME:
		result = rename(path, other);
		break;
	case CALL_CHMOD:
		result = chmod(path, (mode_t)first);
		break;
	case CALL_ACCESS:
		result = access(path, first);
		break;
	case CALL_OPEN:
		result = open(path, first | O_CLOEXEC, (mode_t)second);
		break;
	}
	JSValue answer = result_of(ctx, result);
	JS_FreeCString(ctx, path);
	if (other)
		JS_FreeCString(ctx, other);
	return answer;
}

static JSValue close_fd(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t fd;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]))
		return JS_EXCEPTION;
	return result_of(ctx, close(fd));
}

/* read(fd, buffer, offset, length), write likewise */
static JSValue transfer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int writes)
{
	size_t length = 0;
	int32_t fd;
	uint8_t *data;
	ssize_t n;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]))
		return JS_EXCEPTION;
	data = range_of(ctx, argv, 1, &length);
	if (!data)
		return JS_EXCEPTION;
	do
		n = writes ? write(fd, data, length) : read(fd, data, length);
	while (n < 0 && errno == EINTR);
	return result_of(ctx, n);
}

/* False with errno set. */
static bool read_all(int fd, struct bytes *to)
{
	uint8_t piece[16384];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (to->length + (size_t)n > MAX_FILE_BYTES) {
			errno = EFBIG;
			return false;
		}
		if (!append(to, piece, (size_t)n)) {
			errno = ENOMEM;
			return false;
		}
	}
	return true;
}

/* readFile(path or descriptor, form) */
static JSValue read_file(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct bytes all = { 0 };
	int32_t fd = -1, form;
	bool given = JS_IsNumber(argv[0]);
	JSValue answer;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &form, argv[1]))
		return JS_EXCEPTION;
	if (given) {
		if (JS_ToInt32(ctx, &fd, argv[0]))
			return JS_EXCEPTION;
	} else {
		const char *path = c_string(ctx, argv[0]);

		if (!path)
			return JS_EXCEPTION;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		JS_FreeCString(ctx, path);
	}
	answer = fd >= 0 && read_all(fd, &all) ? in_form(ctx, all.data, all.length, form) : JS_NewInt32(ctx, -errno);
	if (fd >= 0 && !given)
		close(fd);
	free(all.data);
	return answer;
}

/* readdir(path): the names, in the directory's order */
static JSValue read_directory(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *path = c_string(ctx, argv[0]);
	struct dirent *entry;
	uint32_t count = 0;
	JSValue names;
	DIR *dir;

	(void)self;
	(void)argc;
	if (!path)
		return JS_EXCEPTION;
	dir = opendir(path);
	JS_FreeCString(ctx, path);
	if (!dir)
		return JS_NewInt32(ctx, -errno);
	names = JS_NewArray(ctx);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			JS_SetPropertyUint32(ctx, names, count++, JS_NewString(ctx, entry->d_name));
	closedir(dir);
	return names;
}

/* readlink(path) */
static JSValue read_link(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *path = c_string(ctx, argv[0]);
	char target[PATH_MAX];
	ssize_t n;

	(void)self;
	(void)argc;
	if (!path)
		return JS_EXCEPTION;
	n = readlink(path, target, sizeof(target));
	JS_FreeCString(ctx, path);
	return n < 0 ? JS_NewInt32(ctx, -errno) : JS_NewStringLen(ctx, target, (size_t)n);
}

/* stat(path, follow): [dev, ino, mode, uid, gid, size, mtime in ms] */
static JSValue stat_path(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *path = c_string(ctx, argv[0]);
	struct stat st;
	JSValue fields;
	int result;

	(void)self;
	(void)argc;
	if (!path)
		return JS_EXCEPTION;
	result = JS_ToBool(ctx, argv[1]) ? stat(path, &st) : lstat(path, &st);
	JS_FreeCString(ctx, path);
	if (result != 0)
		return JS_NewInt32(ctx, -errno);
	const int64_t values[] = { (int64_t)st.st_dev, (int64_t)st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_size };
	fields = JS_NewArray(ctx);
	for (uint32_t i = 0; i < COUNT(values); i++)
		JS_SetPropertyUint32(ctx, fields, i, JS_NewInt64(ctx, values[i]));
	JS_SetPropertyUint32(ctx, fields, COUNT(values), JS_NewFloat64(ctx, (double)st.st_mtim.tv_sec * 1e3 + (double)st.st_mtim.tv_nsec / NS_PER_MS));
	return fields;
}

/* --- text --------------------------------------------------------------------------------------------------------------------------- */

/* Half of a surrogate pair is no character, and no UTF-8 (the Encoding standard's USVString): U+FFFD, which is as long as what QuickJS writes. */
static void replace_surrogates(uint8_t *text, size_t length)
{
	static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd };

	for (uint8_t *at = text; (at = memchr(at, 0xed, length - (size_t)(at - text))); at++)
		if (at[1] >= 0xa0)
			memcpy(at, replacement, sizeof(replacement));
}

/* encode(string): an ArrayBuffer */
static JSValue encode_utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t length;
	const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
	JSValue buffer;
	uint8_t *bytes;

	(void)self;
	(void)argc;
	if (!text)
		return JS_EXCEPTION;
	buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
	JS_FreeCString(ctx, text);
	bytes = JS_IsException(buffer) ? NULL : JS_GetArrayBuffer(ctx, &length, buffer);
	if (bytes)
		replace_surrogates(bytes, length);
	return buffer;
}

/* decode(buffer, offset, length, form) */
static JSValue decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t length = 0;
	int32_t form;
	uint8_t *data;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &form, argv[3]))
		return JS_EXCEPTION;
	data = range_of(ctx, argv, 0, &length);
	return data ? in_form(ctx, data, length, form) : JS_EXCEPTION;
}

/* --- processes ---------------------------------------------------------------------------------------------------------------------- */

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

/* --- the rest ----------------------------------------------------------------------------------------------------------------------- */

/* random(buffer) */
static JSValue fill_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *data = JS_GetArrayBuffer(ctx, &size, argv[0]);

	(void)self;
	(void)argc;
	if (!data)
		return JS_EXCEPTION;
	return result_of(ctx, getrandom(data, size, 0));
}

/* now(): milliseconds of the monotonic clock */
static JSValue now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct timespec at;

	(void)self;
	(void)argc;
	(void)argv;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return JS_NewFloat64(ctx, (double)at.tv_sec * 1e3 + (double)at.tv_nsec / NS_PER_MS);
}

/* sleep(ms) */
static JSValue sleep_ms(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct timespec time;
	double ms;

	(void)self;
	(void)argc;
	if (JS_ToFloat64(ctx, &ms, argv[0]))
		return JS_EXCEPTION;
	time.tv_sec = (time_t)(ms / 1e3);
	time.tv_nsec = (long)((ms - (double)time.tv_sec * 1e3) * NS_PER_MS);
	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
	return JS_UNDEFINED;
}

/* windowSize(descriptor): [rows, columns] */
static JSValue window_size(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct winsize size;
	JSValue answer;
	int32_t fd;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]))
		return JS_EXCEPTION;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0)
		return JS_NewInt32(ctx, -errno);
	answer = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, answer, 0, JS_NewInt32(ctx, size.ws_row));
	JS_SetPropertyUint32(ctx, answer, 1, JS_NewInt32(ctx, size.ws_col));
	return answer;
}

/* architecture(): in Node's word */
static JSValue architecture(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self;
	(void)argc;
	(void)argv;
#if defined(__x86_64__)
	return JS_NewString(ctx, "x64");
#elif defined(__aarch64__)
	return JS_NewString(ctx, "arm64");
#endif
}

/* errnos(), signals(): {NAME: number} */
static JSValue names_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int signals)
{
	JSValue names = JS_NewObject(ctx);
	char text[32] = "SIG";

	(void)self;
	(void)argc;
	(void)argv;
	for (int number = 1; number <= (signals ? SIGSYS : MAX_ERRNO); number++) {
		const char *name = signals ? sigabbrev_np(number) : strerrorname_np(number);

		if (!name)
			continue;
		strncpy(text + 3, name, sizeof(text) - 4);
		JS_SetPropertyStr(ctx, names, signals ? text : name, JS_NewInt32(ctx, number));
	}
	return names;
}

/* attachTerminal(directory of the monitor): a connection */
static JSValue attach_terminal(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *dir = c_string(ctx, argv[0]);
	int fd;

	(void)self;
	(void)argc;
	if (!dir)
		return JS_EXCEPTION;
	fd = terminal_attach(dir);
	JS_FreeCString(ctx, dir);
	return result_of(ctx, fd);
}

/* carryTerminal(connection): the exit status, at the end */
static JSValue carry_terminal(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t fd;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]))
		return JS_EXCEPTION;
	return JS_NewInt32(ctx, terminal_carry(fd));
}

/* errorName(errno): "ENOENT"; errorText(errno): "no such file or directory", as Go writes it */
static JSValue describe_errno(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int in_words)
{
	char text[128];
	int32_t number;
	const char *found;

	(void)self;
	(void)argc;
	if (JS_ToInt32(ctx, &number, argv[0]))
		return JS_EXCEPTION;
	found = in_words ? strerrordesc_np(number) : strerrorname_np(number);
	snprintf(text, sizeof(text), "%s", found ? found : "unknown error");
	if (in_words && text[1] >= 'a' && text[1] <= 'z')
		text[0] |= 0x20; /* lower case */
	return JS_NewString(ctx, text);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_MAGIC_DEF("mkdir", 3, path_call, CALL_MKDIR),
	JS_CFUNC_MAGIC_DEF("rmdir", 3, path_call, CALL_RMDIR),
	JS_CFUNC_MAGIC_DEF("unlink", 3, path_call, CALL_UNLINK),
	JS_CFUNC_MAGIC_DEF("rename", 3, path_call, CALL_RENAME),
	JS_CFUNC_MAGIC_DEF("chmod", 3, path_call, CALL_CHMOD),
	JS_CFUNC_MAGIC_DEF("access", 3, path_call, CALL_ACCESS),
	JS_CFUNC_MAGIC_DEF("open", 3, path_call, CALL_OPEN),
	JS_CFUNC_DEF("close", 1, close_fd),
	JS_CFUNC_MAGIC_DEF("read", 4, transfer, 0),
	JS_CFUNC_MAGIC_DEF("write", 4, transfer, 1),
	JS_CFUNC_DEF("readFile", 2, read_file),
	JS_CFUNC_DEF("readdir", 1, read_directory),
	JS_CFUNC_DEF("readlink", 1, read_link),
	JS_CFUNC_DEF("stat", 2, stat_path),
	JS_CFUNC_DEF("encode", 1, encode_utf8),
	JS_CFUNC_DEF("decode", 4, decode),
	JS_CFUNC_MAGIC_DEF("pid", 0, identity, IDENTITY_PID),
	JS_CFUNC_MAGIC_DEF("parentPid", 0, identity, IDENTITY_PARENT),
	JS_CFUNC_MAGIC_DEF("effectiveUser", 0, identity, IDENTITY_USER),
	JS_CFUNC_MAGIC_DEF("effectiveGroup", 0, identity, IDENTITY_GROUP),
	JS_CFUNC_DEF("workingDirectory", 0, working_directory),
	JS_CFUNC_DEF("architecture", 0, architecture),
	JS_CFUNC_DEF("environment", 0, environment),
	JS_CFUNC_DEF("kill", 2, send_signal),
	JS_CFUNC_DEF("exit", 1, leave),
	JS_CFUNC_DEF("spawn", 1, spawn),
	JS_CFUNC_DEF("random", 1, fill_random),
	JS_CFUNC_DEF("now", 0, now),
	JS_CFUNC_DEF("sleep", 1, sleep_ms),
	JS_CFUNC_DEF("windowSize", 1, window_size),
	JS_CFUNC_DEF("attachTerminal", 1, attach_terminal),
	JS_CFUNC_DEF("carryTerminal", 1, carry_terminal),
	JS_CFUNC_MAGIC_DEF("errorName", 1, describe_errno, 0),
	JS_CFUNC_MAGIC_DEF("errorText", 1, describe_errno, 1),
	JS_CFUNC_MAGIC_DEF("errnos", 0, names_of, 0),
	JS_CFUNC_MAGIC_DEF("signals", 0, names_of, 1),
};

static int export_functions(JSContext *ctx, JSModuleDef *module)
{
	return JS_SetModuleExportList(ctx, module, functions, COUNT(functions));
}

JSModuleDef *init_system_module(JSContext *ctx, const char *name)
{
	JSModuleDef *module = JS_NewCModule(ctx, name, export_functions);

	if (module && JS_AddModuleExportList(ctx, module, functions, COUNT(functions)) != 0)
		return NULL;
	return module;
}
