/* Helpers that the mount operations share (ops_mount.c). */
#ifndef STRAKE_MOUNT_H
#define STRAKE_MOUNT_H
#include "strake.h"

#include <sys/mount.h>

/* A detached mount of a new FSTYPE; -1 after fail(). */
int new_mount(struct run *run, const char *fstype, const char *source, const struct op_strs *options, uint64_t attrs);
/* Sets and clears attributes (AT_RECURSIVE in AT_FLAGS), changes the propagation when not 0. 0 or -1 (errno). */
int set_attributes(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t propagation, int userns);
/* Puts the detached MOUNT on TARGET. 0 or -1 (errno). */
int attach(int mount, int target);
/* O_PATH target of a mount of FSTYPE (NULL: a bind) below the slot; refuses what leads astray. -1 after fail(). */
int open_target(struct run *run, uint32_t slot, const char *path, const char *fstype, enum create_kind create);
#endif
