/* The values of `strake:system`: bytes and texts. */
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool append(struct bytes *to, const void *data, size_t length)
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

JSValue result_of(JSContext *ctx, int64_t result)
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

JSValue in_form(JSContext *ctx, const uint8_t *data, size_t length, int form)
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

const char *c_string(JSContext *ctx, JSValueConst value)
{
	size_t length;
	const char *text = JS_ToCStringLen(ctx, &length, value);

	if (!text || strlen(text) == length)
		return text;
	JS_FreeCString(ctx, text);
	JS_ThrowTypeError(ctx, "a NUL byte in a path or an argument");
	return NULL;
}

uint8_t *range_of(JSContext *ctx, JSValueConst *argv, int at, size_t *length)
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

const JSCFunctionListEntry text_calls[] = {
	JS_CFUNC_DEF("encode", 1, encode_utf8),
	JS_CFUNC_DEF("decode", 4, decode),
};
const int text_call_count = COUNT(text_calls);
