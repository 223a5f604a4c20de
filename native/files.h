/* Inside a file session. */
#ifndef STRAKE_FILES_H
#define STRAKE_FILES_H
#include "strake.h"

#include <time.h>

/* Set of inode numbers, open addressing; 0 is no inode. */
struct inode_set {
	uint64_t *slot;
	size_t size, used;
};

struct directory_time {
	char *path;
	int64_t ns;
};

struct files {
	struct run *run;
	int root; /* the session's root directory */
	bool keep_kinds; /* directories and other entries do not replace one another */
	/* The last parent directory that was resolved: consecutive entries of one directory share it. Dropped by whatever may change what the path means. */
	int parent_fd;
	char *parent_path;
	/* The regular file that takes file_data. */
	int file_fd;
	uint64_t file_left;
	uint32_t file_mode;
	bool file_chmod; /* it was not made with that mode */
	int64_t file_mtime;
	bool file_sparse; /* it may end in a hole */
	bool sparse_data; /* zero blocks become holes */
	struct directory_time *times;
	size_t ntimes, times_size;
	struct inode_set made;
	char at[2 * PROGRAM_MAX_PATH + 2]; /* where a walk failed */
};

/* O_PATH descriptor of PATH's parent, which is made when it is missing; owned by the session. Its last name is in NAME[256]. -1: errno. */
int files_parent(struct files *f, const char *path, char *name);
/* As files_parent, for an entry that is there already: missing directories are not made. */
int files_find_parent(struct files *f, const char *path, char *name);
void files_forget_parent(struct files *f);
/* ns since the epoch; what 64 bits cannot say is the nearest that they can. */
int64_t to_ns(struct timespec time);

/* --- files_remove.c --- */
/* Removes NAME below DIR and all that it holds, without crossing mounts; missing is fine. 0 or -1 (errno). */
int remove_tree(int dir, const char *name);
/* Removes every entry below DIR that is not in KEPT. */
int clear_tree(int dir, const struct inode_set *kept, unsigned depth);
bool inode_set_has(const struct inode_set *set, uint64_t inode);
int inode_set_add(struct inode_set *set, uint64_t inode);

/* --- the operations, file_NAME (files_write.c, files_read.c, files_walk.c): 0, or -1 (errno). Those that read answer DATA frames themselves. */
#define DECLARE(CODE, name) int name(struct files *, const struct op_##name *);
FILE_OPS(DECLARE)
#undef DECLARE
bool names_root(const char *path); /* "", "/", "./" … */
#endif
