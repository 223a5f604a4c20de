#ifndef STRAKE_DECIDER_MEMORY_H
#define STRAKE_DECIDER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quickjs.h>

extern const JSMallocFunctions decider_memory;

#endif
