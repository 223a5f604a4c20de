/* What the parts of `strake:system` share. A call that fails answers -errno, as the kernel does: what an error is called and says is decided in src/quickjs.
 * Paths and texts are UTF-8. */
#ifndef STRAKE_DECIDER_SYSTEM_H
#define STRAKE_DECIDER_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quickjs.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MAX_FILE_BYTES (256u << 20)
#define NS_PER_MS 1e6

struct bytes {
	uint8_t *data;
	size_t length, room;
};
bool append(struct bytes *to, const void *data, size_t length); /* false: out of memory */

enum form { FORM_BYTES, FORM_UTF8, FORM_LATIN1 };
JSValue in_form(JSContext *ctx, const uint8_t *data, size_t length, int form);

/* RESULT of a system call, or -errno where it is negative. */
JSValue result_of(JSContext *ctx, int64_t result);
/* An argument of a system call; free it with JS_FreeCString. NULL: none without a NUL byte, and an exception is thrown. */
const char *c_string(JSContext *ctx, JSValueConst value);
/* LENGTH bytes at OFFSET of an ArrayBuffer: arguments at, at + 1, at + 2. NULL: they are not, and an exception is thrown. */
uint8_t *range_of(JSContext *ctx, JSValueConst *argv, int at, size_t *length);

/* --- system_files.c, system_processes.c, system_text.c */
extern const JSCFunctionListEntry file_calls[], process_calls[], text_calls[];
extern const int file_call_count, process_call_count, text_call_count;

#endif
