/* The files of `strake:system`. */
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

const JSCFunctionListEntry file_calls[] = {
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
};
const int file_call_count = COUNT(file_calls);
