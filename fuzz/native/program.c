/* Programs and operations of file sessions, as they come from a connection: whatever the bytes are, the decoder says what is wrong or points into them. */
#include "../../native/strake.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static volatile uint64_t sink;

/* Reads every byte that a decoded operation points at: a length that is wrong is seen by AddressSanitizer. */
static void touch(const struct op *op)
{
	for (uint8_t i = 0; i < op->desc->nfields; i++) {
		const uint8_t *field = (const uint8_t *)&op->args + op->desc->fields[i].offset;

		switch ((enum op_type)op->desc->fields[i].type) {
		case T_STR:
			sink += strlen(*(const char *const *)(const void *)field);
			break;
		case T_BYTES: {
			const struct op_bytes *bytes = (const struct op_bytes *)(const void *)field;

			for (uint32_t j = 0; j < bytes->len; j++)
				sink += bytes->p[j];
			break;
		}
		case T_STRS: {
			const struct op_strs *strs = (const struct op_strs *)(const void *)field;

			for (uint32_t j = 0; j < strs->n; j++)
				sink += strlen(strs->v[j]);
			if (strs->v && strs->v[strs->n])
				abort(); /* execve wants the NULL */
			break;
		}
		case T_SLOT: {
			uint32_t slot = *(const uint32_t *)(const void *)field;

			if (slot != NO_SLOT && slot >= PROGRAM_MAX_SLOTS)
				abort();
			break;
		}
		default:
			break;
		}
	}
}

/* A program's lists live as long as it does; a fuzzer runs many. */
static void release(struct op *op)
{
	for (uint8_t i = 0; op->desc && i < op->desc->nfields; i++)
		if (op->desc->fields[i].type == T_STRS)
			free(((struct op_strs *)(void *)((uint8_t *)&op->args + op->desc->fields[i].offset))->v);
}

static void program(uint8_t *data, size_t len)
{
	static struct run run;

	run_init(&run, -1);
	if (program_decode(data, len, &run) == 0)
		for (uint32_t i = 0; i < run.nops; i++)
			touch(&run.ops[i]);
	else if (run.failed.index == NO_OP || run.failed.err == 0)
		abort(); /* refused without a reason */
	for (uint32_t i = 0; run.ops && i < run.nops; i++)
		release(&run.ops[i]);
	free(run.ops);
}

static void file_operations(uint8_t *data, size_t len)
{
	while (len > 0) {
		struct op op;
		size_t used = 0;
		const char *wrong = op_decode(data, len, 1u << SIDE_FILE, &op, &used);

		if (!wrong)
			touch(&op);
		release(&op);
		if (wrong)
			return;
		if (used == 0 || used > len)
			abort();
		data += used;
		len -= used;
	}
}

void fuzz_start(void)
{
}

void fuzz_one(uint8_t *data, size_t len)
{
	if (len >= 4 && memcmp(data, "STRK", 4) == 0)
		program(data, len);
	else
		file_operations(data, len);
}
