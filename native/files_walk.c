/* A tree as one stream: entries, attributes and content, in an order that depends on the names alone. Goes down and up by the working directory,
 * with one descriptor at most, so that no depth is too deep. */
#include "files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define FLUSH_BYTES (256u << 10)
/* An entry with all of its attributes: a frame is whole records. */
#define BUFFER_BYTES (2u << 20)
#define XATTR_BYTES (1u << 20)
#define CONTENT_HEADER 5u
#define ENTRY_HEADER 56u

enum { RECORD_ENTRY = 1, RECORD_CONTENT = 2 };
enum { ENTRY_CONTENT = 1, ENTRY_SEEN = 2 };
enum { WALK_CONTENT = 1, WALK_CROSS = 2 };

struct level {
	char **names;
	char *text; /* that they point into */
	size_t n, next;
	dev_t dev;
	ino_t ino;
	size_t path_len;
};

struct walk {
	struct files *f;
	uint32_t flags;
	uint8_t *buffer;
	uint32_t used;
	char path[PROGRAM_MAX_PATH + 1]; /* of the current entry, below the start */
	size_t path_len;
	struct inode_set seen;
	dev_t dev; /* inode numbers are of this one */
	struct level *levels;
	size_t depth, size;
};

static int flush(struct walk *w)
{
	int result = w->used == 0 ? 0 : conn_send(w->f->run->conn, FRAME_DATA, w->buffer, w->used);

	w->used = 0;
	return result;
}

static int make_room(struct walk *w, uint32_t bytes)
{
	return w->used > 0 && w->used + bytes > FLUSH_BYTES ? flush(w) : 0;
}

static uint8_t *put(uint8_t *p, const void *value, size_t len)
{
	memcpy(p, value, len);
	return p + len;
}

/* The attributes of NAME, not followed, at P. Answers where they end, or NULL (errno); one that goes meanwhile is left out. */
static uint8_t *put_xattrs(const char *name, uint8_t *p, uint16_t *count)
{
	static char list[XATTR_LIST_MAX];
	static char value[XATTR_SIZE_MAX];
	const uint8_t *limit = p + XATTR_BYTES;
	ssize_t listed = llistxattr(name, list, sizeof(list));

	*count = 0;
	if (listed < 0)
		return errno == ENOTSUP || errno == ENOENT ? p : NULL;
	for (const char *key = list; key < list + listed; key += strlen(key) + 1) {
		uint16_t key_len = (uint16_t)strlen(key);
		ssize_t n = lgetxattr(name, key, value, sizeof(value));
		uint32_t value_len = (uint32_t)n;

		if (n < 0 && (errno == ENODATA || errno == ENOTSUP || errno == ENOENT))
			continue;
		if (n < 0)
			return NULL;
		if (limit - p < 6 + key_len + n) {
			errno = E2BIG;
			return NULL;
		}
		p = put(put(p, &key_len, 2), &value_len, 4);
		p = put(put(p, key, key_len), value, value_len);
		++*count;
	}
	return p;
}

static bool has_content(const struct walk *w, const struct stat *st)
{
	return (w->flags & WALK_CONTENT) && S_ISREG(st->st_mode);
}

/* ENTRY_* of the entry; -1: errno. */
static int entry_flags(struct walk *w, const struct stat *st)
{
	bool named_often = !S_ISDIR(st->st_mode) && st->st_nlink > 1 && st->st_dev == w->dev;

	if (named_often && inode_set_has(&w->seen, st->st_ino))
		return ENTRY_SEEN;
	if (named_often && inode_set_add(&w->seen, st->st_ino) != 0)
		return -1;
	return has_content(w, st) && st->st_size > 0 ? ENTRY_CONTENT : 0;
}

/* NAME in the working directory. Answers its flags, or -1 (errno). */
static int put_entry(struct walk *w, const char *name, const struct stat *st)
{
	uint16_t path_len = (uint16_t)w->path_len, target_len = 0, xattrs = 0;
	uint32_t links = st->st_dev == w->dev ? (uint32_t)st->st_nlink : 1; /* inode numbers of another filesystem mean nothing here */
	int flags = entry_flags(w, st);
	uint8_t *start, *p, *end;

	if (flags < 0 || make_room(w, ENTRY_HEADER + 2 * PROGRAM_MAX_PATH) != 0)
		return -1;
	start = w->buffer + w->used;
	p = put(start + ENTRY_HEADER, w->path, w->path_len);
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(AT_FDCWD, name, (char *)p, PROGRAM_MAX_PATH);

		if (n < 0)
			return -1;
		target_len = (uint16_t)n;
		p += n;
	}
	end = put_xattrs(name, p, &xattrs);
	if (!end)
		return -1;
	w->used = (uint32_t)(end - w->buffer);
	p = put(start, (uint8_t[]){ RECORD_ENTRY, (uint8_t)flags }, 2);
	p = put(put(put(p, &path_len, 2), &target_len, 2), &xattrs, 2);
	p = put(p, (uint32_t[]){ st->st_mode, st->st_uid, st->st_gid, links, major(st->st_rdev), minor(st->st_rdev) }, 24);
	p = put(p, &(uint64_t){ (uint64_t)st->st_size }, 8);
	p = put(p, &(int64_t){ to_ns(st->st_mtim) }, 8);
	put(p, &(uint64_t){ st->st_ino }, 8);
	return flags;
}

static int put_content(struct walk *w, int fd, uint64_t left)
{
	while (left > 0) {
		uint32_t room, filled = 0;
		uint8_t *at;

		if (make_room(w, CONTENT_HEADER + (left < 4096 ? (uint32_t)left : 4096)) != 0)
			return -1;
		room = w->used + CONTENT_HEADER < FLUSH_BYTES ? FLUSH_BYTES - w->used - CONTENT_HEADER : 4096;
		room = left < room ? (uint32_t)left : room;
		at = w->buffer + w->used;
		while (filled < room) {
			ssize_t n = read(fd, at + CONTENT_HEADER + filled, room - filled);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return -1;
			if (n == 0) { /* shorter than it was */
				memset(at + CONTENT_HEADER + filled, 0, room - filled);
				n = (ssize_t)(room - filled);
			}
			filled += (uint32_t)n;
		}
		put(put(at, &(uint8_t){ RECORD_CONTENT }, 1), &filled, 4);
		w->used += CONTENT_HEADER + filled;
		left -= filled;
	}
	return 0;
}

/* A regular file, opened by what was looked at: to open whatever else took the name is an action already. */
static int put_file(struct walk *w, const char *name)
{
	autoclose path = openat(AT_FDCWD, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autoclose fd = -1;
	char number[16];
	struct stat st;
	int flags;

	if (path < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(path, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		return 0;
	flags = put_entry(w, name, &st);
	if (flags < 0 || !(flags & ENTRY_CONTENT))
		return flags < 0 ? -1 : 0;
	snprintf(number, sizeof(number), "%d", path);
	fd = openat(w->f->run->self_fds, number, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -1 : put_content(w, fd, (uint64_t)st.st_size);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names of STREAM, one after the other, into LEVEL. */
static int read_text(DIR *stream, struct level *level)
{
	size_t used = 0, size = 0;
	struct dirent *entry;

	while (errno = 0, entry = readdir(stream)) {
		size_t len = strlen(entry->d_name) + 1;

		if (is_dots(entry->d_name))
			continue;
		if (used + len > size) {
			char *grown = realloc(level->text, size = 2 * size + 4096);

			if (!grown)
				return -1;
			level->text = grown;
		}
		memcpy(level->text + used, entry->d_name, len);
		used += len;
		level->n++;
	}
	return errno == 0 ? 0 : -1;
}

static int read_names(int fd, struct level *level)
{
	DIR *stream = open_directory(fd, ".");
	int result = stream ? read_text(stream, level) : -1, saved = errno;
	char *name = level->text;

	if (stream)
		closedir(stream);
	errno = saved;
	if (result != 0 || level->n == 0)
		return result;
	level->names = malloc(level->n * sizeof(*level->names));
	if (!level->names)
		return -1;
	for (size_t i = 0; i < level->n; i++, name += strlen(name) + 1)
		level->names[i] = name;
	qsort(level->names, level->n, sizeof(*level->names), compare_names);
	return 0;
}

/* Goes down into the directory NAME. What is a mount, or no directory any more, has nothing below it. */
static int enter(struct walk *w, const char *name)
{
	uint64_t resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | (w->flags & WALK_CROSS ? 0 : RESOLVE_NO_XDEV);
	autoclose fd = sys_openat2(AT_FDCWD, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, resolve);
	struct level level = { .path_len = w->path_len };
	struct stat st;

	if (fd < 0)
		return errno == EXDEV || errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	if (w->depth == w->size) {
		size_t size = w->size ? 2 * w->size : 32;
		struct level *grown = realloc(w->levels, size * sizeof(*grown));

		if (!grown)
			return -1;
		w->levels = grown;
		w->size = size;
	}
	if (fstat(fd, &st) != 0)
		return -1;
	level.dev = st.st_dev;
	level.ino = st.st_ino;
	if (read_names(fd, &level) != 0 || fchdir(fd) != 0) {
		int saved = errno;

		free(level.text);
		free(level.names);
		errno = saved;
		return -1;
	}
	w->levels[w->depth++] = level;
	return 0;
}

/* Goes up. Whoever moved the directory meanwhile has us somewhere else: ESTALE. */
static int leave(struct walk *w)
{
	const struct level *above;
	struct stat st;

	w->depth--;
	free(w->levels[w->depth].text);
	free(w->levels[w->depth].names);
	if (w->depth == 0)
		return 0;
	above = &w->levels[w->depth - 1];
	if (chdir("..") != 0 || fstatat(AT_FDCWD, ".", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (st.st_dev == above->dev && st.st_ino == above->ino)
		return 0;
	errno = ESTALE;
	return -1;
}

static int visit(struct walk *w, const char *name)
{
	struct stat st;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (has_content(w, &st))
		return put_file(w, name);
	if (put_entry(w, name, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISDIR(st.st_mode) ? enter(w, name) : 0;
}

static int next_entry(struct walk *w)
{
	struct level *level = &w->levels[w->depth - 1];
	size_t len = level->path_len;
	const char *name;

	if (level->next == level->n)
		return leave(w);
	name = level->names[level->next++];
	w->path_len = len + (len > 0) + strlen(name);
	if (w->path_len > PROGRAM_MAX_PATH) {
		w->path_len = len;
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len > 0)
		w->path[len++] = '/';
	strcpy(w->path + len, name);
	return visit(w, name);
}

static int walk_from(struct walk *w, const char *name)
{
	struct stat st;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	w->dev = st.st_dev;
	if (visit(w, name) != 0)
		return -1;
	while (w->depth > 0)
		if (next_entry(w) != 0)
			return -1;
	return flush(w);
}

int file_walk(struct files *f, const struct op_file_walk *op)
{
	char name[256] = ".";
	struct walk w = { .f = f, .flags = op->flags, .buffer = malloc(BUFFER_BYTES) };
	autoclose parent = names_root(op->path) ? -1 : open_parent_in_root(f->root, op->path, 0, false, name);
	int result = -1, saved;

	if (w.buffer && (names_root(op->path) || parent >= 0) && fchdir(parent >= 0 ? parent : f->root) == 0)
		result = walk_from(&w, name);
	saved = errno;
	while (w.depth > 0) {
		w.depth--;
		free(w.levels[w.depth].text);
		free(w.levels[w.depth].names);
	}
	free(w.levels);
	free(w.seen.slot);
	free(w.buffer);
	if (result != 0)
		snprintf(f->at, sizeof(f->at), "%s%s%s", op->path, w.path_len > 0 ? "/" : "", w.path);
	if (chdir("/") != 0)
		return -1;
	errno = saved;
	return result;
}
