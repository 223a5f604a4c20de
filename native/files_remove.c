/* Removal of trees in a file session: iterative where the depth is the layer's to choose. */
#include "files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CLEAR_DEPTH_MAX 1024

/* The directory NAME in DIR; EXDEV when something is mounted there. */
static int open_below(int dir, const char *name)
{
	return sys_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

/* Removes the entries of DIR that can be removed at once. 0: it is empty now; 1: the name of a directory that is not is in NAME; -1: errno. */
static int remove_entries(int dir, char *name)
{
	DIR *stream = open_directory(dir, ".");
	struct dirent *entry;
	int result = 0;

	if (!stream)
		return -1;
	while (result == 0 && (entry = readdir(stream))) {
		if (is_dots(entry->d_name) || unlinkat(dir, entry->d_name, 0) == 0)
			continue;
		if (errno != EISDIR) {
			result = -1;
		} else if (unlinkat(dir, entry->d_name, AT_REMOVEDIR) != 0) {
			result = errno == ENOTEMPTY ? 1 : -1;
			strcpy(name, entry->d_name);
		}
	}
	closedir(stream);
	return result;
}

/* Empties DIR: goes down into what is not empty, and up by "..", holding one descriptor. */
static int empty_directory(int dir)
{
	char name[256];
	size_t depth = 0;
	int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0) {
		int result = remove_entries(at, name);
		int next;

		if (result < 0 || (result == 0 && depth == 0)) {
			int saved = errno;

			close_fd(&at);
			errno = saved;
			return result;
		}
		next = open_below(at, result == 1 ? name : "..");
		depth = result == 1 ? depth + 1 : depth - 1;
		close_fd(&at);
		at = next;
	}
	return -1;
}

int remove_tree(int dir, const char *name)
{
	autoclose child = -1;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY)
		return -1;
	child = open_below(dir, name);
	if (child < 0 || empty_directory(child) != 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

static int clear_entry(int dir, const char *name, const struct inode_set *kept, unsigned depth)
{
	struct stat st;
	autoclose child = -1;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (inode_set_has(kept, st.st_ino))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0);
	child = open_below(dir, name);
	if (child < 0 || clear_tree(child, kept, depth + 1) != 0)
		return -1;
	/* What the session put into an older directory keeps that directory. */
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ? 0 : -1;
}

int clear_tree(int dir, const struct inode_set *kept, unsigned depth)
{
	DIR *stream = depth < CLEAR_DEPTH_MAX ? open_directory(dir, ".") : NULL;
	struct dirent *entry;
	int result = 0, saved;

	if (!stream) {
		errno = depth < CLEAR_DEPTH_MAX ? errno : ELOOP;
		return -1;
	}
	while (result == 0 && (entry = readdir(stream)))
		if (!is_dots(entry->d_name))
			result = clear_entry(dir, entry->d_name, kept, depth);
	saved = errno;
	closedir(stream);
	errno = saved;
	return result;
}

static size_t find_slot(const struct inode_set *set, uint64_t inode)
{
	size_t i = (size_t)(inode * 0x9e3779b97f4a7c15u) & (set->size - 1);

	while (set->slot[i] != 0 && set->slot[i] != inode)
		i = (i + 1) & (set->size - 1);
	return i;
}

bool inode_set_has(const struct inode_set *set, uint64_t inode)
{
	return set->size > 0 && set->slot[find_slot(set, inode)] == inode;
}

int inode_set_add(struct inode_set *set, uint64_t inode)
{
	if (2 * (set->used + 1) > set->size) {
		struct inode_set grown = { .size = set->size ? 2 * set->size : 1024, .used = set->used };

		grown.slot = calloc(grown.size, sizeof(*grown.slot));
		if (!grown.slot)
			return -1;
		for (size_t i = 0; i < set->size; i++)
			if (set->slot[i] != 0)
				grown.slot[find_slot(&grown, set->slot[i])] = set->slot[i];
		free(set->slot);
		*set = grown;
	}
	if (!inode_set_has(set, inode)) {
		set->slot[find_slot(set, inode)] = inode;
		set->used++;
	}
	return 0;
}
