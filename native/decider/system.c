/* System calls for the decider's TypeScript (src/quickjs): the module, and what is not about files, processes or texts. */
#include "system.h"
#include "decider.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define MAX_ERRNO 133

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

static const JSCFunctionListEntry other_calls[] = {
	JS_CFUNC_DEF("architecture", 0, architecture),
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

static int each_list(JSContext *ctx, JSModuleDef *module, int (*take)(JSContext *, JSModuleDef *, const JSCFunctionListEntry *, int))
{
	return take(ctx, module, file_calls, file_call_count) | take(ctx, module, process_calls, process_call_count) |
	       take(ctx, module, text_calls, text_call_count) | take(ctx, module, other_calls, COUNT(other_calls));
}

static int export_functions(JSContext *ctx, JSModuleDef *module)
{
	return each_list(ctx, module, JS_SetModuleExportList);
}

JSModuleDef *init_system_module(JSContext *ctx, const char *name)
{
	JSModuleDef *module = JS_NewCModule(ctx, name, export_functions);

	return module && each_list(ctx, module, JS_AddModuleExportList) == 0 ? module : NULL;
}
