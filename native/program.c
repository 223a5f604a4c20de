/* Decodes programs (docs/CONTRACTS.md, "Program encoding"). Every length is checked before it is used; nothing is executed here. */
#define OPS_TABLE
#include "strake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 24u
#define OP_HEADER_BYTES 8u

struct cursor {
	uint8_t *p, *end;
};

static uint64_t little_endian(const uint8_t *p, size_t bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | p[bytes];
	return value;
}

static const struct op_desc *find_op(uint16_t code)
{
	for (size_t i = 0; i < sizeof(op_table) / sizeof(*op_table); i++)
		if (op_table[i].code == code)
			return &op_table[i];
	return NULL;
}

static const char *read_u32(struct cursor *in, uint32_t *out)
{
	if (in->end - in->p < 4)
		return "truncated field";
	*out = (uint32_t)little_endian(in->p, 4);
	in->p += 4;
	return NULL;
}

static const char *read_bytes(struct cursor *in, struct op_bytes *out)
{
	const char *wrong = read_u32(in, &out->len);

	if (wrong)
		return wrong;
	if ((size_t)(in->end - in->p) < out->len)
		return "truncated bytes";
	out->p = in->p;
	in->p += out->len;
	return NULL;
}

/* The string moves one byte down, over the last byte of its length, which makes room for the NUL at its end. */
static const char *read_string(struct cursor *in, const char **out)
{
	struct op_bytes bytes;
	const char *wrong = read_bytes(in, &bytes);
	uint8_t *p;

	if (wrong)
		return wrong;
	if (bytes.len > PROGRAM_MAX_STRING)
		return "string is too long";
	if (memchr(bytes.p, 0, bytes.len))
		return "string has a NUL";
	p = in->p - bytes.len;
	memmove(p - 1, p, bytes.len);
	*(p - 1 + bytes.len) = 0;
	*out = (const char *)p - 1;
	return NULL;
}

static const char *read_strings(struct cursor *in, struct op_strs *out)
{
	const char *wrong = read_u32(in, &out->n);

	if (wrong)
		return wrong;
	if (out->n > PROGRAM_MAX_STRINGS || out->n > (size_t)(in->end - in->p) / 4)
		return "too many strings";
	/* One more, NULL: the list can be handed to execve. Lives as long as the program. */
	out->v = calloc((size_t)out->n + 1, sizeof(*out->v));
	if (!out->v)
		return "out of memory";
	for (uint32_t i = 0; i < out->n; i++) {
		wrong = read_string(in, &out->v[i]);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *read_slot(struct cursor *in, uint32_t *out)
{
	const char *wrong = read_u32(in, out);

	if (!wrong && *out >= PROGRAM_MAX_SLOTS && *out != NO_SLOT)
		return "slot is out of range";
	return wrong;
}

static const char *read_field(struct cursor *in, uint8_t type, uint8_t *out)
{
	switch ((enum op_type)type) {
	case T_U32:
	case T_I32:
		return read_u32(in, (uint32_t *)(void *)out);
	case T_U64:
	case T_I64:
		if (in->end - in->p < 8)
			return "truncated field";
		*(uint64_t *)(void *)out = little_endian(in->p, 8);
		in->p += 8;
		return NULL;
	case T_STR:
		return read_string(in, (const char **)(void *)out);
	case T_BYTES:
		return read_bytes(in, (struct op_bytes *)(void *)out);
	case T_STRS:
		return read_strings(in, (struct op_strs *)(void *)out);
	case T_SLOT:
		return read_slot(in, (uint32_t *)(void *)out);
	}
	return "unknown field type";
}

const char *op_decode(uint8_t *data, size_t len, unsigned sides, struct op *op, size_t *used)
{
	struct cursor in;
	uint32_t payload;

	memset(op, 0, sizeof(*op));
	if (len < OP_HEADER_BYTES)
		return "truncated operation";
	op->code = (uint16_t)little_endian(data, 2);
	op->side = data[2];
	payload = (uint32_t)little_endian(data + 4, 4);
	op->desc = find_op(op->code);
	if (!op->desc)
		return "unknown operation";
	if (data[3] != 0 || op->side > SIDE_FILE || !(op->desc->sides & sides & 1u << op->side))
		return "operation is not for this side";
	if (payload > len - OP_HEADER_BYTES)
		return "truncated operation";
	in = (struct cursor){ data + OP_HEADER_BYTES, data + OP_HEADER_BYTES + payload };
	for (uint8_t i = 0; i < op->desc->nfields; i++) {
		const struct op_field *field = &op->desc->fields[i];
		const char *wrong = read_field(&in, field->type, (uint8_t *)&op->args + field->offset);

		if (wrong)
			return wrong;
	}
	if (in.p != in.end)
		return "trailing bytes";
	*used = OP_HEADER_BYTES + payload;
	return NULL;
}

static int refuse(struct run *run, uint32_t index, const char *what)
{
	const struct op_desc *desc = run->ops && index < run->nops ? run->ops[index].desc : NULL;

	run->current = index;
	return fail(run, EINVAL, "program: %s%s%s", desc ? desc->name : "", desc ? ": " : "", what);
}

/* The order that the driver relies on: one clone before what the init does, nothing of the host between wait_start and reap. */
static int check_order(struct run *run)
{
	bool cloned = false, waits = false, executed = false, acts = false; /* acts: something of the host waits for the execve */
	bool restored = false; /* by criu, perhaps, or made by another runtime */

	for (uint32_t i = 0; i < run->nops; i++) {
		const struct op *op = &run->ops[i];

		if (op->side == SIDE_INIT && (!cloned || executed || run->reap != run->nops))
			return refuse(run, i, cloned ? "the init has ended here" : "there is no init before clone");
		if (op->side == SIDE_HOST && waits && !executed)
			return refuse(run, i, "the host cannot act between wait_start and exec");
		switch (op->code) {
		case OP_CLONE:
			if (cloned)
				return refuse(run, i, "a program has one init");
			cloned = true;
			break;
		case OP_WAIT_START:
			waits = run->has_wait_start = true;
			run->has_fifo = op->args.wait_start.fifo != NO_SLOT;
			break;
		case OP_EXEC:
			executed = true;
			break;
		case OP_CRIU:
		case OP_OCI_RUNTIME:
			restored = !cloned;
			break;
		case OP_REAP:
			if (!(executed || restored) || run->reap != run->nops)
				return refuse(run, i, "there is nothing to wait for");
			run->reap = i;
			break;
		case OP_DETACH:
			if (!(executed || restored) || (waits && acts))
				return refuse(run, i, executed ? "nobody is left to act when the init has executed" : "there is no init to leave");
			run->has_detach = true;
			break;
		default:
			acts |= executed && run->reap == run->nops;
			break;
		}
	}
	if (cloned && !executed)
		return refuse(run, run->nops - 1, "the init has no exec");
	if (executed && run->reap == run->nops && !run->has_detach)
		return refuse(run, run->nops - 1, "an init needs reap or detach");
	return 0;
}

int program_decode(uint8_t *data, size_t len, struct run *run)
{
	size_t left;
	uint8_t *p;

	run->ops = NULL;
	run->nops = 0;
	if (len < HEADER_BYTES || len > PROGRAM_MAX_BYTES + HEADER_BYTES || memcmp(data, "STRK", 4) != 0)
		return refuse(run, NO_OP - 1, "not a program");
	if (little_endian(data + 4, 2) != 1)
		return refuse(run, NO_OP - 1, "unknown version");
	run->flags = (uint32_t)little_endian(data + 6, 2);
	run->nops = (uint32_t)little_endian(data + 8, 4);
	left = little_endian(data + 12, 4);
	if (run->nops > PROGRAM_MAX_OPS || left != len - HEADER_BYTES || little_endian(data + 16, 8) != 0) {
		run->nops = 0;
		return refuse(run, NO_OP - 1, "header does not match its length");
	}
	run->ops = calloc(run->nops + 1, sizeof(*run->ops));
	if (!run->ops)
		return refuse(run, NO_OP - 1, "out of memory");
	p = data + HEADER_BYTES;
	for (uint32_t i = 0; i < run->nops; i++) {
		size_t used = 0;
		const char *wrong = op_decode(p, left, 1u << SIDE_HOST | 1u << SIDE_INIT, &run->ops[i], &used);

		if (wrong)
			return refuse(run, i, wrong);
		p += used;
		left -= used;
	}
	if (left != 0)
		return refuse(run, NO_OP - 1, "trailing bytes");
	run->reap = run->nops;
	return check_order(run);
}
