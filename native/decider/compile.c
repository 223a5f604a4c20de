/* `compile ARCHIVE FILE…`: the byte code of modules, as the archive that decider.c reads. A tool of the build. */
#include <quickjs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MODULE_BYTES (16u << 20)

/* What a module imports is looked for when it is loaded, not when it is compiled. */
static int no_exports(JSContext *ctx, JSModuleDef *module)
{
	(void)ctx;
	(void)module;
	return 0;
}

static JSModuleDef *any_module(JSContext *ctx, const char *name, void *opaque)
{
	(void)opaque;
	return JS_NewCModule(ctx, name, no_exports);
}

static int complain(JSContext *ctx, const char *file)
{
	JSValue error = JS_GetException(ctx), stack = JS_GetPropertyStr(ctx, error, "stack");

	fprintf(stderr, "%s: %s\n%s", file, JS_ToCString(ctx, error), JS_IsString(stack) ? JS_ToCString(ctx, stack) : "");
	return 1;
}

static int compile(JSContext *ctx, const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	FILE *source = fopen(file, "re");
	char *text = calloc(1, MAX_MODULE_BYTES);
	size_t length = 0;
	uint8_t *code;
	uint32_t bytes;
	JSValue module;

	if (!source || !text || fread(text, 1, MAX_MODULE_BYTES - 1, source) == MAX_MODULE_BYTES - 1 || ferror(source)) {
		perror(file);
		return 1;
	}
	fclose(source);
	module = JS_Eval(ctx, text, strlen(text), name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
	free(text);
	if (JS_IsException(module))
		return complain(ctx, file);
	code = JS_WriteObject(ctx, &length, module, JS_WRITE_OBJ_BYTECODE);
	if (!code)
		return complain(ctx, file);
	bytes = (uint32_t)length;
	if (fwrite(name, strlen(name) + 1, 1, stdout) != 1 || fwrite(&bytes, sizeof(bytes), 1, stdout) != 1 || fwrite(code, length, 1, stdout) != 1) {
		perror("standard output");
		return 1;
	}
	js_free(ctx, code);
	return 0;
}

int main(int argc, char *argv[])
{
	JSRuntime *rt = JS_NewRuntime();
	JSContext *ctx = rt ? JS_NewContext(rt) : NULL;

	if (!ctx)
		return 1;
	/* The places of functions are a fifth of what is read at each start, and mean nothing in a bundle. */
	JS_SetStripInfo(rt, JS_STRIP_DEBUG);
	JS_SetModuleLoaderFunc(rt, NULL, any_module, NULL);
	if (argc < 2 || !freopen(argv[1], "we", stdout)) {
		perror(argc < 2 ? argv[0] : argv[1]);
		return 1;
	}
	for (int i = 2; i < argc; i++)
		if (compile(ctx, argv[i]) != 0)
			return 1;
	return putchar('\0') == EOF || fflush(stdout) != 0;
}
