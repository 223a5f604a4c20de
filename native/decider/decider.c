/* The program that decides for the OCI command line: QuickJS with the byte code of src/cmd/strake-runc.ts inside (docs/decisions/0007).
 * Started by its front (native/front.c). */
#include "decider.h"
#include "memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* A decider that grows beyond this has met a document that nobody wrote to be read. */
#define MEMORY_LIMIT_BYTES (512u << 20)
/* Cycles are rare and the process is short; what reference counting leaves is collected when it is this much. */
#define GC_THRESHOLD_BYTES (64u << 20)
/* At most half of the stack that we have: the engine asks before it calls itself, not before it calls C. */
#define MAX_STACK_BYTES (4u << 20)
#define SYSTEM_MODULE "strake:system"
#define GLOBALS_MODULE "globals.js"
#define MAIN_MODULE "main.js"

/* The archive: of each module its name, NUL, its length as 4 bytes in the machine's order, and its byte code; then an empty name. */
extern const uint8_t archive[], archive_end[];

static const uint8_t *find_module(const char *name, uint32_t *length)
{
	const uint8_t *at = archive;

	while (at < archive_end && *at) {
		const char *found = (const char *)at;

		at += strlen(found) + 1;
		memcpy(length, at, sizeof(*length));
		at += sizeof(*length);
		if (strcmp(found, name) == 0)
			return at;
		at += *length;
	}
	return NULL;
}

/* Chunks name each other as "./NAME". */
static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque)
{
	(void)base;
	(void)opaque;
	return js_strdup(ctx, strncmp(name, "./", 2) == 0 ? name + 2 : name);
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
	uint32_t length;
	const uint8_t *code;
	JSValue module;

	(void)opaque;
	if (strcmp(name, SYSTEM_MODULE) == 0)
		return init_system_module(ctx, name);
	code = find_module(name, &length);
	if (!code) {
		JS_ThrowReferenceError(ctx, "no module %s", name);
		return NULL;
	}
	module = JS_ReadObject(ctx, code, length, JS_READ_OBJ_BYTECODE);
	if (JS_IsException(module))
		return NULL;
	JS_FreeValue(ctx, module); /* the context holds it */
	return JS_VALUE_GET_PTR(module);
}

static void print_exception(JSContext *ctx, JSValueConst error)
{
	const char *text = JS_ToCString(ctx, error);
	JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
	const char *trace = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;

	fprintf(stderr, "strake-runc: %s\n%s", text ? text : "an exception without words", trace ? trace : "");
	JS_FreeCString(ctx, text);
	JS_FreeCString(ctx, trace);
	JS_FreeValue(ctx, stack);
}

/* A module and all that follows from it, to the end. False when that is an exception, which is told. */
static bool evaluate(JSContext *ctx, const char *name)
{
	JSModuleDef *module = load_module(ctx, name, NULL);
	JSValue value = module ? JS_DupValue(ctx, JS_MKPTR(JS_TAG_MODULE, module)) : JS_EXCEPTION;
	JSValue done = module && JS_ResolveModule(ctx, value) == 0 ? JS_EvalFunction(ctx, value) : JS_EXCEPTION;
	JSContext *job;
	int left = 1;

	while (!JS_IsException(done) && left > 0)
		left = JS_ExecutePendingJob(JS_GetRuntime(ctx), &job);
	if (JS_IsException(done) || left < 0)
		print_exception(ctx, JS_GetException(ctx));
	else if (JS_PromiseState(ctx, done) != JS_PROMISE_FULFILLED)
		print_exception(ctx, JS_PromiseResult(ctx, done));
	else
		return true;
	return false;
}

/* `ulimit -s` may be less than what there is for most: then the engine has to say no before the kernel does. */
static size_t stack_bytes(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur / 2 > MAX_STACK_BYTES)
		return MAX_STACK_BYTES;
	return limit.rlim_cur / 2;
}

/* importModule(name): `import()` itself asks for the place that it is called from, which is not kept. */
static JSValue import_module(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *name = JS_ToCString(ctx, argv[0]);
	JSValue module;

	(void)self;
	(void)argc;
	if (!name)
		return JS_EXCEPTION;
	module = JS_LoadModule(ctx, "", name);
	JS_FreeCString(ctx, name);
	return module;
}

static JSRuntime *new_runtime(void)
{
	JSRuntime *rt = JS_NewRuntime2(&decider_memory, NULL);

	if (!rt)
		return NULL;
	JS_SetMemoryLimit(rt, MEMORY_LIMIT_BYTES);
	JS_SetGCThreshold(rt, GC_THRESHOLD_BYTES);
	JS_SetMaxStackSize(rt, stack_bytes());
	return rt;
}

int main(int argc, char *argv[])
{
	JSRuntime *rt = new_runtime();
	JSContext *ctx = rt ? JS_NewContext(rt) : NULL;
	JSValue global, words;

	/* When nobody reads what we write it is an error, behind which there may be something to clear away. */
	signal(SIGPIPE, SIG_IGN);
	if (!ctx) {
		fputs("strake-runc: no memory for QuickJS\n", stderr);
		return 1;
	}
	JS_SetModuleLoaderFunc(rt, normalize, load_module, NULL);
	global = JS_GetGlobalObject(ctx);
	words = JS_NewArray(ctx);
	for (int i = 1; i < argc; i++)
		JS_SetPropertyUint32(ctx, words, (uint32_t)(i - 1), JS_NewString(ctx, argv[i]));
	JS_SetPropertyStr(ctx, global, "scriptArgs", words);
	JS_SetPropertyStr(ctx, global, "importModule", JS_NewCFunction(ctx, import_module, "importModule", 1));
	JS_FreeValue(ctx, global);
	return evaluate(ctx, GLOBALS_MODULE) && evaluate(ctx, MAIN_MODULE) ? 0 : 1;
}
