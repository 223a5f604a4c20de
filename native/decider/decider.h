#ifndef STRAKE_DECIDER_H
#define STRAKE_DECIDER_H

#include <stdbool.h>
#include <stddef.h>

#include <quickjs.h>

/* The module `strake:system`: the system calls that src/quickjs makes node's modules of. */
JSModuleDef *init_system_module(JSContext *ctx, const char *name);

#endif
