/* Operations on files of the host: descriptors, directories, cgroups. Their paths come from the client, not from an image. */
#include "files.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

int put_slot(struct run *run, uint32_t slot, int fd)
{
	if (slot == NO_SLOT) {
		close(fd);
		return fail(run, EINVAL, "no slot to open into");
	}
	close_fd(&run->slots[slot]);
	run->slots[slot] = fd;
	return 0;
}

int do_open(struct run *run, const struct op_open *op)
{
	int fd;

	if (op->dir != NO_SLOT && run->slots[op->dir] < 0)
		return fail(run, EBADF, "%s: directory slot %u is empty", op->path, op->dir);
	fd = sys_openat2(op->dir == NO_SLOT ? AT_FDCWD : run->slots[op->dir], op->path, op->flags, op->flags & O_CREAT ? op->mode : 0,
			 op->dir == NO_SLOT ? 0 : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fail(run, errno, "open %s", op->path);
	return put_slot(run, op->out, fd);
}

int do_close(struct run *run, const struct op_close *op)
{
	if (op->fd != NO_SLOT)
		close_fd(&run->slots[op->fd]);
	return 0;
}

int do_connect_unix(struct run *run, const struct op_connect_unix *op)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(op->path);
	int fd;

	if (length >= sizeof(address.sun_path))
		return fail(run, ENAMETOOLONG, "%s", op->path);
	memcpy(address.sun_path, op->path, length);
	/* @NAME is an abstract socket, as callers write it who know it from Go. */
	if (op->path[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		int err = errno;

		close_fd(&fd);
		return fail(run, err, "connect to %s", op->path);
	}
	return put_slot(run, op->out, fd);
}

int do_mkdir(struct run *run, const struct op_mkdir *op)
{
	return make_directories(op->path, op->mode) == 0 ? 0 : fail(run, errno, "mkdir %s", op->path);
}

int do_write_file(struct run *run, const struct op_write_file *op)
{
	int flags = O_WRONLY | O_CLOEXEC | (op->flags & 4 ? O_CREAT | O_TRUNC : 0) | (op->flags & 8 ? O_NONBLOCK : 0);

	if (write_fd(open(op->path, flags, 0644), op->data.p, op->data.len) == 0 || op->flags & 2 || (op->flags & 1 && errno == ENOENT))
		return 0;
	return fail(run, errno, "write %.*s to %s", (int)(op->data.len < 64 ? op->data.len : 64), (const char *)op->data.p, op->path);
}

int do_unlink(struct run *run, const struct op_unlink *op)
{
	return unlink(op->path) == 0 || errno == ENOENT ? 0 : fail(run, errno, "unlink %s", op->path);
}

int do_remove_dir(struct run *run, const struct op_remove_dir *op)
{
	char parent[PROGRAM_MAX_PATH + 1];
	const char *slash = strrchr(op->path, '/');
	autoclose dir = -1;

	snprintf(parent, sizeof(parent), "%.*s/", slash ? (int)(slash - op->path) : 0, op->path);
	/* By its parent: the removal crosses no mount below it. */
	dir = slash ? open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	if ((dir < 0 && slash && errno == ENOENT) || remove_tree(dir, slash ? slash + 1 : op->path) == 0)
		return 0;
	return fail(run, errno, "removal of %s", op->path);
}

/* --- cgroups ------------------------------------------------------------------------------------------------------- */

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
