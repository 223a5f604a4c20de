/* Operations on cgroups, and on the processes that are in them. */
#include "strake.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>

/* What a container leaves is its directory and the ones that it made in it: a cgroup has no other removable entries. */
static int remove_cgroup(int parent, const char *name)
{
	struct dirent *entry;
	DIR *dir;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -1;
	dir = open_directory(parent, name);
	if (!dir)
		return errno == ENOENT ? 0 : -1;
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && !is_dots(entry->d_name))
			remove_cgroup(dirfd(dir), entry->d_name);
	closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
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
		if (remove_cgroup(AT_FDCWD, op->path) == 0)
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

/* Signals every process listed in FILE (0: none is). How many there were, -1: errno. */
static int kill_listed(const char *path, int number)
{
	FILE *f = fopen(path, "re");
	int pid, count = 0;

	if (!f)
		return -1;
	while (fscanf(f, "%d", &pid) == 1) {
		count++;
		if (pid > 1)
			kill(pid, number);
	}
	fclose(f);
	return count;
}

/* A v1 cgroup has no cgroup.kill, and its subgroups are killed one by one. */
static int kill_tree(const char *path, int number)
{
	char name[PROGRAM_MAX_PATH + 16];
	struct dirent *entry;
	DIR *dir = opendir(path);
	int count = 0;

	if (!dir)
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	while ((entry = readdir(dir))) {
		bool procs = strcmp(entry->d_name, "cgroup.procs") == 0;
		int n = 0;

		if (!procs && (entry->d_type != DT_DIR || entry->d_name[0] == '.'))
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) < (int)sizeof(name))
			n = procs ? kill_listed(name, number) : kill_tree(name, number);
		count += n > 0 ? n : 0;
	}
	closedir(dir);
	return count;
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
		return fail(run, errno, "process %u", op->pid);
	return 0;
}

/* Milliseconds until DEADLINE, for poll(2); 0 when it has passed. */
static int left_until(uint64_t deadline)
{
	uint64_t now = monotonic_ns();

	return now >= deadline ? 0 : (int)((deadline - now + 999999) / 1000000);
}

/* The number after NAME in the cgroup's FILE; 0 without such a line, -1 when the cgroup is gone. */
static int64_t counter(const char *dir, const char *file, const char *name)
{
	char path[PROGRAM_MAX_PATH + 32], text[512], *p;
	autoclose fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -1;
	text[n] = '\0';
	for (p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (strncmp(p, name, strlen(name)) == 0 && p[strlen(name)] == ' ')
			return strtoll(p + strlen(name), NULL, 10);
	return 0;
}

/* A descriptor that becomes readable when v1's memory controller runs out of memory, or the cgroup is removed (cgroup-v1/memory.rst, "OOM Control"). */
static int watch_v1(const char *dir, int control)
{
	char path[PROGRAM_MAX_PATH + 32], line[32];
	int event = eventfd(0, EFD_CLOEXEC);
	int len = snprintf(line, sizeof(line), "%d %d", event, control);

	snprintf(path, sizeof(path), "%s/cgroup.event_control", dir);
	if (event >= 0 && write_fd(open(path, O_WRONLY | O_CLOEXEC), line, (size_t)len) != 0)
		close_fd(&event);
	return event;
}

/* The same for v2, where the end is that no process is left (cgroup-v2.rst: both files give a modified event). */
static int watch_v2(const char *dir)
{
	static const char *const files[] = { "memory.events", "cgroup.events" };
	char path[PROGRAM_MAX_PATH + 32];
	int watch = inotify_init1(IN_CLOEXEC);

	for (size_t i = 0; watch >= 0 && i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		if (inotify_add_watch(watch, path, IN_MODIFY) < 0)
			close_fd(&watch);
	}
	return watch;
}

int do_oom_wait(struct run *run, const struct op_oom_wait *op)
{
	uint64_t deadline = monotonic_ns() + op->timeout_ms * 1000000ull;
	char path[PROGRAM_MAX_PATH + 32];
	autoclose control = -1, watch = -1;
	struct pollfd event = { .events = POLLIN };
	const char *file;

	if (strlen(op->dir) > PROGRAM_MAX_PATH)
		return fail(run, ENAMETOOLONG, "cgroup %s", op->dir);
	snprintf(path, sizeof(path), "%s/memory.oom_control", op->dir);
	control = open(path, O_RDONLY | O_CLOEXEC);
	file = control >= 0 ? "memory.oom_control" : "memory.events";
	watch = control >= 0 ? watch_v1(op->dir, control) : watch_v2(op->dir);
	if (watch < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : fail(run, errno, "events of cgroup %s", op->dir);
	event.fd = watch;
	for (;;) {
		/* Asked after the watch is there: what happened before it counts, too. */
		int64_t kills = counter(op->dir, file, "oom_kill");
		int n;

		if (kills < 0 || (uint64_t)kills != op->seen || (control < 0 && counter(op->dir, "cgroup.events", "populated") <= 0))
			return 0;
		n = poll(&event, 1, left_until(deadline));
		if (n == 0)
			return fail(run, ETIMEDOUT, "cgroup %s", op->dir);
		if (n > 0 && control >= 0)
			return 0;
		if (n > 0 && read(watch, path, sizeof(path)) < 0 && errno != EINTR)
			return fail(run, errno, "events of cgroup %s", op->dir);
	}
}
