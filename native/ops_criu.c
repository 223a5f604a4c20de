/* Checkpoint and restore: criu does it, asked over the socket of its `swrk` mode (criu's rpc.proto). The request is made by who decides; here are the
 * process, the descriptors, and the notifications that criu waits for. */
#include "strake.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX 65536
#define REQUEST_SOCKET 3 /* criu swrk's argument says so */
#define DESCRIPTORS_MAX 4

/* enum criu_req_type */
enum { REQUEST_DUMP = 1, REQUEST_RESTORE = 2, REQUEST_PRE_DUMP = 4, REQUEST_NOTIFY = 6 };
/* Fields of criu_resp, criu_restore_resp and criu_notify. */
enum { RESPONSE_TYPE = 1, RESPONSE_SUCCESS = 2, RESPONSE_RESTORE = 4, RESPONSE_NOTIFY = 5, RESPONSE_ERRNO = 7 };
enum { RESTORE_PID = 1, NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };

/* What is of interest in a criu_resp. */
struct response {
	uint64_t type, success, error, pid;
	char script[64];
};

/* --- protocol buffers: varints and length-delimited fields, no others are in these messages ------------------- */

static bool take_varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t byte = *(*p)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The next field: its number, and its value or its bytes. False: the message is damaged. */
static bool take_field(const uint8_t **p, const uint8_t *end, uint64_t *field, uint64_t *value, const uint8_t **bytes)
{
	uint64_t key;

	*bytes = NULL;
	if (!take_varint(p, end, &key) || !take_varint(p, end, value))
		return false;
	*field = key >> 3;
	if ((key & 7) == 0)
		return true;
	if ((key & 7) != 2 || *value > (uint64_t)(end - *p))
		return false;
	*bytes = *p;
	*p += *value;
	return true;
}

static bool read_notify(const uint8_t *p, const uint8_t *end, struct response *r)
{
	uint64_t field, value;
	const uint8_t *bytes;

	while (p < end) {
		if (!take_field(&p, end, &field, &value, &bytes))
			return false;
		if (field == NOTIFY_SCRIPT && bytes && value < sizeof(r->script))
			memcpy(r->script, bytes, value);
		if (field == NOTIFY_PID && !bytes)
			r->pid = value;
	}
	return true;
}

static bool read_restored(const uint8_t *p, const uint8_t *end, struct response *r)
{
	uint64_t field, value;
	const uint8_t *bytes;

	while (p < end) {
		if (!take_field(&p, end, &field, &value, &bytes))
			return false;
		if (field == RESTORE_PID && !bytes)
			r->pid = value;
	}
	return true;
}

static bool read_response(const uint8_t *p, size_t len, struct response *r)
{
	const uint8_t *end = p + len, *bytes;
	uint64_t field, value;

	memset(r, 0, sizeof(*r));
	while (p < end) {
		if (!take_field(&p, end, &field, &value, &bytes))
			return false;
		if (field == RESPONSE_TYPE && !bytes)
			r->type = value;
		if (field == RESPONSE_SUCCESS && !bytes)
			r->success = value;
		if (field == RESPONSE_ERRNO && !bytes)
			r->error = value;
		if (field == RESPONSE_NOTIFY && bytes && !read_notify(bytes, bytes + value, r))
			return false;
		if (field == RESPONSE_RESTORE && bytes && !read_restored(bytes, bytes + value, r))
			return false;
	}
	return true;
}

/* --- criu ------------------------------------------------------------------------------------------------------- */

/* Opens FILES at the descriptors from FIRST on, inherited by criu: it is told their numbers, and looks some up in /proc/OURS/fd. */
static int open_files(struct run *run, const struct op_criu *op)
{
	for (uint32_t i = 0; i < op->files.n; i++) {
		autoclose fd = open(op->files.v[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || dup2(fd, (int)(op->first_file + i)) < 0)
			return fail(run, errno, "open %s", op->files.v[i]);
	}
	return 0;
}

static void close_files(const struct op_criu *op)
{
	for (uint32_t i = 0; i < op->files.n; i++)
		close((int)(op->first_file + i));
}

static int start_criu(const struct op_criu *op, int socket, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t)op->path, (char *)(uintptr_t)"swrk", (char *)(uintptr_t)"3", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_adddup2(&files, socket, REQUEST_SOCKET);
	err = posix_spawn(pid, op->path, &files, &attributes, argv, op->env.n > 0 ? (char *const *)op->env.v : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* criu waits for its request: it is in the cgroups before it makes processes, which are born there. */
static int join_cgroups(struct run *run, const struct op_criu *op, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	for (uint32_t i = 0; i < op->cgroups.n; i++) {
		autoclose fd = open(op->cgroups.v[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, text, (size_t)len) != len)
			return fail(run, errno, "criu into %s", op->cgroups.v[i]);
	}
	return 0;
}

/* One message of criu, and a descriptor with it (else -1). Its length, 0 at the end, -1: errno. */
static ssize_t receive(int socket, uint8_t *message, int *descriptor)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
	} control;
	struct iovec iov = { message, MESSAGE_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	*descriptor = -1;
	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(descriptor, CMSG_DATA(c), sizeof(int));
	return n;
}

/* What criu tells on its way; it goes on when it is answered. */
static int notified(struct run *run, const struct op_criu *op, const struct response *r, int descriptor)
{
	static const char name[] = "/dev/ptmx";

	if (strcmp(r->script, "orphan-pts-master") == 0 && descriptor >= 0 && op->console == NO_SLOT && run->monitor) {
		close_fd(&run->pty_master);
		run->pty_master = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	}
	if (strcmp(r->script, "orphan-pts-master") == 0 && descriptor >= 0 && op->console != NO_SLOT &&
	    send_descriptor(run->slots[op->console], name, sizeof(name) - 1, descriptor) != 0)
		return fail(run, errno, "console socket");
	if (strcmp(r->script, "status-ready") == 0 && op->status_fd != 0 && write((int)op->status_fd, "", 1) != 1)
		return fail(run, errno, "descriptor %u of --status-fd", op->status_fd);
	return 0;
}

static const char *request_name(uint64_t type)
{
	return type == REQUEST_DUMP ? "DUMP" : type == REQUEST_RESTORE ? "RESTORE" : type == REQUEST_PRE_DUMP ? "PRE_DUMP" : "unknown";
}

/* Sends the request, and answers until criu is done. *RESTORED: the pid of the restored init. */
static int converse(struct run *run, const struct op_criu *op, int socket, pid_t *restored)
{
	static uint8_t message[MESSAGE_MAX];
	struct response r;

	if (send(socket, op->request.p, op->request.len, MSG_NOSIGNAL) < 0)
		return fail(run, errno, "request to criu");
	for (;;) {
		autoclose descriptor = -1;
		int received;
		ssize_t n = receive(socket, message, &received);

		descriptor = received;
		if (n <= 0)
			return fail(run, n < 0 ? errno : EPIPE, "criu ended before it was done");
		if (!read_response(message, (size_t)n, &r))
			return fail(run, EPROTO, "answer of criu");
		if (r.type != REQUEST_NOTIFY)
			break;
		if (notified(run, op, &r, descriptor) != 0)
			return -1;
		if (send(socket, op->acknowledgement.p, op->acknowledgement.len, MSG_NOSIGNAL) < 0)
			return fail(run, errno, "answer to criu");
	}
	*restored = (pid_t)r.pid;
	return r.success ? 0 : fail(run, ECANCELED, "criu failed: type %s errno %d", request_name(r.type), (int)r.error);
}

/* The restored init is our child: criu makes it a sibling of its own (rst_sibling). */
static int adopt(struct run *run, pid_t pid)
{
	run->init_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (run->init_pidfd < 0)
		return fail(run, errno, "restored process %d", pid);
	run->init_pid = run->report_pid = pid;
	run->init_start = process_start_time(pid);
	if (monitor_after_clone(run) != 0)
		return -1;
	if (!run->has_detach)
		report_send(run, PHASE_STARTED);
	return 0;
}

int do_criu(struct run *run, const struct op_criu *op)
{
	pid_t pid = 0, restored = 0;
	int pair[2], result, err;

	if (open_files(run, op) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(run, errno, "socket to criu");
	err = monitor_lend_stdio(run) != 0 ? EBADF : start_criu(op, pair[1], &pid);
	monitor_take_stdio_back(run);
	close(pair[1]);
	if (err != 0) {
		close(pair[0]);
		return fail(run, err, "%s: %s", op->path, exec_error_text(err));
	}
	result = join_cgroups(run, op, pid) != 0 ? -1 : converse(run, op, pair[0], &restored);
	close(pair[0]); /* criu ends with it, whatever it was at */
	close_files(op);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result == 0 && restored > 0 ? adopt(run, restored) : result;
}
