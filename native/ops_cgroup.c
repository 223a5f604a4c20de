/* Operations on cgroups, and on the processes that are in them. */
#include "strake.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>

/* --- whole trees: a container that may write to its cgroup makes it as deep as it likes ------------------------------------- */

/* A cgroup that is gone through, below the one that came before. */
struct level {
	struct level *above;
	char **names; /* subgroups that are still to be gone through */
	size_t n;
	char own[256];
};

static void pop(struct level **level)
{
	struct level *gone = *level;

	while (gone->n > 0)
		free(gone->names[--gone->n]);
	free(gone->names);
	*level = gone->above;
	free(gone);
}

static int read_names(int dir, struct level *level)
{
	DIR *stream = open_directory(dir, ".");
	struct dirent *entry;

	if (!stream)
		return -1;
	while ((entry = readdir(stream))) {
		char **names;

		if (entry->d_type != DT_DIR || is_dots(entry->d_name))
			continue;
		names = realloc(level->names, (level->n + 1) * sizeof(*names));
		if (names)
			level->names = names;
		if (!names || !(names[level->n] = strdup(entry->d_name)))
			break;
		level->n++;
	}
	closedir(stream);
	return entry ? -1 : 0;
}

/* Goes on with the directory OWN, which is open as DIR: ENTER sees it, then what is below it is known. 0 or -1 (errno). */
static int push(struct level **level, const char *own, int dir, int (*enter)(int dir, void *data), void *data)
{
	struct level *next = calloc(1, sizeof(*next));

	if (!next)
		return -1;
	next->above = *level;
	snprintf(next->own, sizeof(next->own), "%s", own);
	*level = next;
	return (enter && enter(dir, data) != 0) || read_names(dir, next) != 0 ? -1 : 0;
}

static bool is_gone(int err)
{
	return err == ENOENT || err == ENODEV;
}

/* All of the tree at NAME in PARENT, its directories removed on the way back when REMOVE is set. No descriptor is held for the levels above, and no
 * path is longer than a name. 0 (it may be missing) or -1 (errno). */
static int walk(int parent, const char *name, int (*enter)(int dir, void *data), void *data, bool remove)
{
	autoclose at = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct level *level = NULL;
	int result = at < 0 ? -1 : push(&level, "", at, enter, data), saved;

	while (result == 0 && (level->n > 0 || level->above)) {
		char *sub = level->n > 0 ? level->names[--level->n] : NULL;
		int next = openat(at, sub ? sub : "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next >= 0) {
			close(at);
			at = next;
			if (sub) {
				result = push(&level, sub, at, enter, data);
			} else {
				if (remove)
					unlinkat(at, level->own, AT_REMOVEDIR);
				pop(&level);
			}
		} else if (!sub || !is_gone(errno)) {
			result = -1;
		}
		saved = errno;
		free(sub);
		errno = saved;
	}
	saved = errno;
	while (level)
		pop(&level);
	errno = saved;
	return result == 0 || (at < 0 && is_gone(errno)) ? 0 : -1;
}

/* What a container leaves is its directory and the ones that it made in it: a cgroup has no other removable entries. */
static int remove_cgroup(const char *path)
{
	if (unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EBUSY && errno != ENOTEMPTY) || walk(AT_FDCWD, path, NULL, NULL, true) != 0)
		return -1;
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/* Between two tries: short at first, as a killed process takes some 100 µs to leave its cgroup. */
static void pause_before(unsigned attempt)
{
	struct timespec pause = { 0, attempt < 10 ? 100000L << attempt / 2 : 10000000L };

	nanosleep(&pause, NULL);
}

int do_rmdir(struct run *run, const struct op_rmdir *op)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;

	for (unsigned attempt = 0;; attempt++) {
		if (remove_cgroup(op->path) == 0)
			return 0;
		if (errno != EBUSY || monotonic_ns() >= deadline)
			return fail(run, errno, "rmdir %s", op->path);
		pause_before(attempt);
	}
}

int do_cgroup_attach(struct run *run, const struct op_cgroup_attach *op)
{
	char path[PROGRAM_MAX_PATH + 16], pid[16];
	int len = snprintf(pid, sizeof(pid), "%d", run->init_pid); /* 0: the writer itself */

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", op->dir) >= (int)sizeof(path))
		return fail(run, ENAMETOOLONG, "cgroup %s", op->dir);
	if (write_fd(open(path, O_WRONLY | O_CLOEXEC), pid, (size_t)len) != 0)
		return fail(run, errno, "join cgroup %s", op->dir);
	return 0;
}

struct killing {
	int number; /* 0: nobody is signalled */
	int count; /* of the processes that were there */
};

/* Signals every process that is listed in the cgroup. */
static int kill_listed(int dir, void *data)
{
	struct killing *killing = data;
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f) {
		close_fd(&fd);
		return is_gone(errno) ? 0 : -1;
	}
	while (fscanf(f, "%d", &pid) == 1) {
		killing->count++;
		if (pid > 1)
			kill(pid, killing->number);
	}
	fclose(f);
	return 0;
}

/* A v1 cgroup has no cgroup.kill, and its subgroups are killed one by one. How many processes there were, -1: errno. */
static int kill_tree(const char *path, int number)
{
	struct killing killing = { number, 0 };

	return walk(AT_FDCWD, path, kill_listed, &killing, false) == 0 ? killing.count : -1;
}

int do_cgroup_kill(struct run *run, const struct op_cgroup_kill *op)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	char path[PROGRAM_MAX_PATH + 16];
	int number = SIGKILL;

	/* v2 alone, since 5.14: then the loop only waits, and signals no pid that may be another's by then. */
	if (snprintf(path, sizeof(path), "%s/cgroup.kill", op->dir) < (int)sizeof(path) && write_fd(open(path, O_WRONLY | O_CLOEXEC), "1", 1) == 0)
		number = 0;
	for (unsigned attempt = 0;; attempt++) {
		int left = kill_tree(op->dir, number);

		if (left == 0)
			return 0;
		if (left < 0 || monotonic_ns() >= deadline)
			return fail(run, left < 0 ? errno : EBUSY, "%d processes are left in cgroup %s", left, op->dir);
		pause_before(attempt);
	}
}

int do_cgroup_device(struct run *run, const struct op_cgroup_device *op)
{
	autoclose dir = open(op->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose program = -1;
	union bpf_attr load, attach;

	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)op->program.p;
	load.insn_cnt = op->program.len / (uint32_t)sizeof(struct bpf_insn);
	load.license = (uint64_t)(uintptr_t)"Apache";
	if (dir < 0)
		return fail(run, errno, "cgroup %s", op->dir);
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (program < 0)
		return fail(run, errno, "device program of cgroup %s", op->dir);
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)dir;
	attach.attach_bpf_fd = (uint32_t)program;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) != 0)
		return fail(run, errno, "attach device program to cgroup %s", op->dir);
	return 0;
}

int do_signal(struct run *run, const struct op_signal *op)
{
	autoclose process = (int)syscall(SYS_pidfd_open, (pid_t)op->pid, 0);

	/* The start time is read after the open: this pidfd is of the process whose start time that is, or that process is gone. */
	if (process >= 0 && process_start_time((pid_t)op->pid) != op->start_time)
		return fail(run, ESRCH, "process %u is another one by now", op->pid);
	if (process < 0 || syscall(SYS_pidfd_send_signal, process, op->signal, NULL, 0) != 0)
		/* A thread has that number by now (pidfd_open(2)). */
		return fail(run, process < 0 && (errno == EINVAL || errno == ENOENT) ? ESRCH : errno, "process %u", op->pid);
	return 0;
}

/* Milliseconds until DEADLINE, for poll(2); 0 when it has passed. */
static int left_until(uint64_t deadline)
{
	uint64_t now = monotonic_ns();

	return now >= deadline ? 0 : (int)((deadline - now + 999999) / 1000000);
}

int do_oom_wait(struct run *run, const struct op_oom_wait *op)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	char file[PROGRAM_MAX_PATH + 32], populated[PROGRAM_MAX_PATH + 32];
	struct pollfd event = { .events = POLLIN };
	autoclose watch = -1;
	bool v1;

	if (strlen(op->dir) > PROGRAM_MAX_PATH)
		return fail(run, ENAMETOOLONG, "cgroup %s", op->dir);
	snprintf(populated, sizeof(populated), "%s/cgroup.events", op->dir);
	snprintf(file, sizeof(file), "%s/memory.oom_control", op->dir);
	v1 = access(file, F_OK) == 0;
	if (!v1)
		snprintf(file, sizeof(file), "%s/memory.events", op->dir);
	watch = oom_watch(file);
	/* v2's end is that no process is left. */
	if (watch >= 0 && !v1 && inotify_add_watch(watch, populated, IN_MODIFY) < 0)
		close_fd(&watch);
	if (watch < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : fail(run, errno, "events of cgroup %s", op->dir);
	event.fd = watch;
	for (;;) {
		/* Asked after the watch is there: what happened before it counts, too. */
		int64_t kills = cgroup_counter(file, "oom_kill");
		char told[1024];
		int n;

		if (kills < 0 || (uint64_t)kills != op->seen || (!v1 && cgroup_counter(populated, "populated") <= 0))
			return 0;
		n = poll(&event, 1, left_until(deadline));
		if (n == 0)
			return fail(run, ETIMEDOUT, "cgroup %s", op->dir);
		if (n > 0 && v1)
			return 0;
		if (n > 0 && read(watch, told, sizeof(told)) < 0 && errno != EINTR && errno != EAGAIN)
			return fail(run, errno, "events of cgroup %s", op->dir);
	}
}
