/* What a target of the driver is. */
#ifndef TARGET_H
#define TARGET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before the first run. */
void fuzz_start(void);
/* One run on DATA, which is the target's to change. */
void fuzz_one(uint8_t *data, size_t len);
#endif
