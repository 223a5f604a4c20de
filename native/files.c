/* A file session: operations on the tree below the root of this process, in order, as FILE_OPS frames bring them. */
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#define DISCARD_TIMEOUT_S 10

void files_forget_parent(struct files *f)
{
	close_fd(&f->parent_fd);
	free(f->parent_path);
	f->parent_path = NULL;
}

static int parent_of(struct files *f, const char *path, bool create, char *name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	/* A name that is only a name: "dir/" and ".." are for open_parent_in_root to understand. */
	bool plain = slash && slash[1] != '\0' && strlen(slash + 1) < 256 && strcmp(slash + 1, ".") != 0 && strcmp(slash + 1, "..") != 0;

	if (plain && f->parent_fd >= 0 && f->parent_path && strncmp(f->parent_path, path, len) == 0 && f->parent_path[len] == '\0') {
		strcpy(name, slash + 1);
		return f->parent_fd;
	}
	files_forget_parent(f);
	f->parent_fd = open_parent_in_root(f->root, path, 0, create, name);
	if (f->parent_fd < 0)
		return -1;
	f->parent_path = plain ? strndup(path, len) : NULL; /* NULL: for this operation only */
	return f->parent_fd;
}

int64_t to_ns(struct timespec time)
{
	if (time.tv_sec > INT64_MAX / 1000000000 - 1)
		return INT64_MAX;
	if (time.tv_sec < INT64_MIN / 1000000000 + 1)
		return INT64_MIN;
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int files_parent(struct files *f, const char *path, char *name)
{
	return parent_of(f, path, true, name);
}

int files_find_parent(struct files *f, const char *path, char *name)
{
	return parent_of(f, path, false, name);
}

static const char *path_of(const struct files *f, const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_FILE_DATA:
	case OP_FILE_HOLE:
	case OP_FILE_SYNC:
		return "";
	case OP_FILE_WALK:
		return f->at;
	default: /* every other one begins with its path */
		return op->args.file_remove.path;
	}
}

static int answer(struct files *f, int err, const char *name, const char *path)
{
	char payload[4 + DETAIL_MAX];
	int n;

	memcpy(payload, &err, 4);
	n = err == 0 ? 0 : snprintf(payload + 4, DETAIL_MAX, "%s%s%s", name, *path ? ": " : "", path);
	return conn_send(f->run->conn, FRAME_REPLY, payload, 4 + (uint32_t)(n < DETAIL_MAX ? n : DETAIL_MAX - 1));
}

/* Whether the operation is answered: the others are silent unless they fail, and then the session ends. */
static bool is_question(const struct op *op)
{
	return op->code == OP_FILE_READ || op->code == OP_FILE_STAT || op->code == OP_FILE_LIST || op->code == OP_FILE_WALK || op->code == OP_FILE_SYNC ||
	       op->code == OP_FILE_ENTER;
}

static int execute(struct files *f, const struct op *op)
{
	bool writes = !is_question(op) || op->code == OP_FILE_SYNC || op->code == OP_FILE_ENTER;

	if (writes && f->file_fd >= 0 && op->code != OP_FILE_DATA && op->code != OP_FILE_HOLE) {
		errno = EPROTO; /* the file before is not whole */
		return -1;
	}
	switch ((enum op_code)op->code) {
#define CASE(CODE, name)                                                                                                                     \
	case OP_##CODE:                                                                                                                          \
		return name(f, &op->args.name);
		FILE_OPS(CASE)
#undef CASE
	default: /* the decoder lets no other in */
		errno = EPROTO;
		return -1;
	}
}

/* 0: go on; -1: the session is over. */
static int run_op(struct files *f, const struct op *op)
{
	bool question = is_question(op);
	int err = execute(f, op) == 0 ? 0 : errno;

	if (err == 0 && !question)
		return 0;
	if (answer(f, err, op->desc->name, path_of(f, op)) != 0)
		return -1;
	return err == 0 || question ? 0 : -1;
}

static int run_frame(struct files *f, uint8_t *data, size_t len)
{
	while (len > 0) {
		struct op op;
		size_t used = 0;
		const char *wrong = op_decode(data, len, 1u << SIDE_FILE, &op, &used);

		if (wrong) {
			answer(f, EPROTO, "file session", wrong);
			return -1;
		}
		if (run_op(f, &op) != 0)
			return -1;
		data += used;
		len -= used;
	}
	return 0;
}

/* After a failure: whoever closes a socket that still holds data takes his own last words from the peer (unix(7): ECONNRESET). */
static void discard_rest(int conn)
{
	const struct timeval patience = { .tv_sec = DISCARD_TIMEOUT_S };
	static uint8_t nothing[64 << 10];

	shutdown(conn, SHUT_WR);
	setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (recv(conn, nothing, sizeof(nothing), 0) > 0)
		;
}

int do_files(struct run *run)
{
	/* Not O_PATH: syncfs wants more. */
	struct files f = { .run = run, .root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .parent_fd = -1, .file_fd = -1 };
	uint8_t type, *payload;
	uint32_t len;

	if (f.root < 0)
		return fail(run, errno, "root of the session");
	umask(0);
	if (run->self_fds < 0) /* no chroot came before: this root is the machine's own */
		run->self_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (report_send(run, PHASE_CREATED) != 0)
		return 0;
	while (conn_read_frame(run->conn, &type, &payload, &len, FRAME_MAX_BYTES) == 1) {
		int result = type == FRAME_FILE_OPS ? run_frame(&f, payload, len) : -1;

		free(payload);
		if (result != 0) {
			discard_rest(run->conn);
			break;
		}
	}
	/* The process ends with the session, and with it what it holds. */
	_exit(0);
}
