/* Texts that are made before the process whose pid they name: the place of the number is kept free, and filled in here. */
#include "strake.h"

#include <stdio.h>
#include <string.h>

int fill_pid_fields(uint8_t *text, size_t len, const struct op_bytes *offsets, pid_t pid)
{
	char digits[PID_FIELD + 1];

	snprintf(digits, sizeof(digits), "%*d", (int)PID_FIELD, pid);
	errno = EINVAL;
	if (offsets->len % sizeof(uint32_t) != 0)
		return -1;
	for (uint32_t i = 0; i < offsets->len; i += sizeof(uint32_t)) {
		uint32_t at;

		memcpy(&at, offsets->p + i, sizeof(at));
		if (at > len || len - at < PID_FIELD)
			return -1;
		for (uint32_t j = 0; j < PID_FIELD; j++)
			if (text[at + j] != ' ')
				return -1;
		memcpy(text + at, digits, PID_FIELD);
	}
	return 0;
}
