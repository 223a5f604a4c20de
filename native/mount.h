/* Helpers that the mount operations share (ops_mount.c). */
#ifndef STRAKE_MOUNT_H
#define STRAKE_MOUNT_H
#include "strake.h"

#include <sys/mount.h>

#define CONFIG_STRING_MAX 255 /* fsconfig(2) takes strings up to 256 bytes with their NUL */

/* A detached mount of a new FSTYPE; -1 after fail(). */
int new_mount(struct run *run, const char *fstype, const char *source, const struct op_strs *options, uint64_t attrs);
/* Sets options of the context FS, each KEY=VALUE or a flag. 0 or -1 (errno; *BAD is the refused one). */
int configure(int fs, const struct op_strs *options, const char **bad);
/* The kernel's own words about a refused option, one line (": tmpfs: Bad value for 'size'"). */
const char *context_message(int fs, char *text, size_t size);
/* Failures of the configuration's mounts begin as runc's do, which people and tools look for; what fail() was told becomes the reason. -1. */
int mount_failed(struct run *run, const char *source, const char *target);
/* Sets and clears attributes (AT_RECURSIVE in AT_FLAGS), changes the propagation when not 0. 0 or -1 (errno). */
int set_attributes(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t propagation);
/* The same for attributes; those of CLEAR_UNLOCKED stay when the kernel has them locked. */
int set_attributes_unless_locked(int fd, unsigned at_flags, uint64_t set, uint64_t clear, uint64_t clear_unlocked);
/* Puts the detached MOUNT on TARGET. 0 or -1 (errno). */
int attach(int mount, int target);
/* O_PATH (and FLAGS) target of a mount of FSTYPE (NULL: a bind) below the slot, *MADE when it was not there; refuses what leads astray.
 * -1 after fail(). */
int open_target(struct run *run, uint32_t slot, const char *path, const char *fstype, uint64_t flags, enum create_kind create, bool *made);
/* Ids of the detached MOUNT, or of all its TREE, as the user namespace maps them. 0 or -1 (errno). */
int map_ids(int mount, int userns, bool tree);
/* What to say when it fails. */
int fail_map_ids(struct run *run, int err, int mount, const char *source);
/* Copies what is in the directory FROM (any descriptor) into the empty directory TO, owner and mode of it too. 0 or -1 after fail(). copyup.c */
int copy_tree(struct run *run, int from, int to);

/* mount_helper.c: which tree of a path. USERNS is a slot that the helper has, NO_SLOT: ids stay. */
struct source_request {
	bool recursive, nofollow, map_tree;
	uint32_t userns;
};
/* A detached bind of PATH in the mount namespace of the caller, opened with the helper's privileges. -1 after fail(). */
int ask_helper(struct run *run, uint32_t slot, const char *path, const struct source_request *request);
/* A detached bind of a node that is made as OP says. -1 after fail(), or without it when the helper has no right to make devices. */
int ask_helper_for_node(struct run *run, uint32_t slot, const struct op_mknod_in *op);
/* A detached bind of SOURCE, which is below /proc/PID/root: a tree of another mount namespace, and the kernel clones those of one's own alone
 * (open_tree(2)), so a child goes there and hands it over. -1 with errno; EINVAL for another path. */
int clone_elsewhere(const char *source, unsigned flags);
#endif
