/* What the first process is: names, limits, user, capabilities, filters, labels. */
#include "strake.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* linux/seccomp.h, since 5.19 */
#endif
#define LAST_CAPABILITY 63u
#define IOPRIO_WHO_PROCESS 1

int do_sethostname(struct run *run, const struct op_sethostname *op)
{
	return sethostname(op->name, strlen(op->name)) == 0 ? 0 : fail(run, errno, "host name \"%s\"", op->name);
}

int do_setdomainname(struct run *run, const struct op_setdomainname *op)
{
	return setdomainname(op->name, strlen(op->name)) == 0 ? 0 : fail(run, errno, "domain name \"%s\"", op->name);
}

/* Below a procfs of our own: what the container has mounted at /proc cannot redirect the write (CVE-2025-52881). */
static int write_private_proc(struct run *run, const char *prefix, const char *name, const char *value)
{
	char path[PROGRAM_MAX_PATH + 1];
	int proc = open_private_proc(run);

	if (proc < 0)
		return fail(run, errno, "private procfs");
	if (snprintf(path, sizeof(path), "%s%s", prefix, name) >= (int)sizeof(path))
		return fail(run, ENAMETOOLONG, "/proc/%s%s", prefix, name);
	if (strstr(name, ".."))
		return fail(run, EINVAL, "/proc/%s%s", prefix, name);
	if (write_fd(sys_openat2(proc, path, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV), value, strlen(value)) != 0)
		return fail(run, errno, "open /proc/%s", path);
	return 0;
}

int do_sysctl(struct run *run, const struct op_sysctl *op)
{
	return write_private_proc(run, "sys/", op->key, op->value);
}

int do_label(struct run *run, const struct op_label *op)
{
	return write_private_proc(run, "thread-self/attr/", op->name, op->value);
}

int do_setsid(struct run *run)
{
	return setsid() >= 0 ? 0 : fail(run, errno, "setsid");
}

int do_umask(struct run *run, const struct op_umask *op)
{
	umask(op->mask & 0777);
	run->umask_set = true;
	return 0;
}

int do_personality(struct run *run, const struct op_personality *op)
{
	return personality(op->persona) >= 0 ? 0 : fail(run, errno, "personality 0x%llx", (unsigned long long)op->persona);
}

int do_bounding(struct run *run, const struct op_bounding *op)
{
	for (unsigned cap = 0; cap <= LAST_CAPABILITY; cap++) {
		if (op->keep >> cap & 1 || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the kernel knows no more */
			return 0;
		return fail(run, errno, "drop of capability %u from the bounding set", cap);
	}
	return 0;
}

/* The process must be able to open its own /dev/stdout again; /dev/null and what belongs to others stays (as runc's fixStdioPermissions). */
static void own_stdio(uid_t uid)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) != 0 || st.st_uid == uid || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
			continue;
		if (fchown(fd, uid, (gid_t)-1) != 0)
			continue; /* read-only, or of an owner that the user namespace does not map: it stays usable as it is */
	}
}

int do_set_user(struct run *run, const struct op_set_user *op)
{
	size_t n = op->groups.len / sizeof(gid_t);
	gid_t *groups = NULL;

	if (op->groups.len % sizeof(gid_t) != 0)
		return fail(run, EINVAL, "supplementary groups");
	own_stdio(op->uid);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return fail(run, errno, "PR_SET_KEEPCAPS");
	if (!(op->flags & 1)) {
		groups = malloc(op->groups.len + 1);
		if (!groups)
			return fail(run, ENOMEM, "supplementary groups");
		memcpy(groups, op->groups.p, op->groups.len);
		if (setgroups(n, groups) != 0 && !(errno == EPERM && op->flags & 2))
			fail(run, errno, "%zu supplementary groups", n);
		free(groups);
	}
	if (run->failed.index != NO_OP)
		return -1;
	if (setresgid(op->gid, op->gid, op->gid) != 0)
		return fail(run, errno, "group %u", op->gid);
	if (setresuid(op->uid, op->uid, op->uid) != 0)
		return fail(run, errno, "user %u", op->uid);
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0 ? 0 : fail(run, errno, "PR_SET_KEEPCAPS");
}

int do_capset(struct run *run, const struct op_capset *op)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){ (uint32_t)(op->effective >> 32 * i), (uint32_t)(op->permitted >> 32 * i),
							   (uint32_t)(op->inheritable >> 32 * i) };
	if (syscall(SYS_capset, &header, data) != 0)
		return fail(run, errno, "capabilities: effective %llx, permitted %llx, inheritable %llx", (unsigned long long)op->effective,
			    (unsigned long long)op->permitted, (unsigned long long)op->inheritable);
	return 0;
}

int do_ambient(struct run *run, const struct op_ambient *op)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return fail(run, errno, "ambient capabilities");
	for (unsigned cap = 0; cap <= LAST_CAPABILITY; cap++)
		if (op->mask >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
			return fail(run, errno, "ambient capability %u", cap);
	return 0;
}

int do_no_new_privs(struct run *run)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : fail(run, errno, "no_new_privs");
}

/* The filter may forbid to say later that the process executes, so it is said before; not when it still reports that it waits for its start. */
static void say_exec(struct run *run)
{
	for (uint32_t i = run->current + 1; i < run->nops; i++)
		if (run->ops[i].code == OP_WAIT_START)
			return;
	if (!run->exec_sent)
		sync_send(run, SYNC_EXEC, run->current, 0, NULL, -1);
	run->exec_sent = true;
}

int do_seccomp(struct run *run, const struct op_seccomp *op)
{
	size_t n = op->filter.len / sizeof(struct sock_filter);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = (struct sock_filter *)(uintptr_t)op->filter.p };
	autoclose listener = -1;
	long result;

	if (op->filter.len % sizeof(struct sock_filter) != 0 || n == 0 || n > BPF_MAXINSNS)
		return fail(run, EINVAL, "seccomp filter of %u bytes", op->filter.len);
	say_exec(run);
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->flags, &program);
	if (result < 0)
		return fail(run, errno, "seccomp filter of %zu instructions", n);
	if (!(op->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return 0;
	/* The monitor, which no filter holds up, sends it on: a call that waits for the agent's answer may come next. */
	listener = (int)result;
	return sync_send(run, SYNC_LISTENER, run->current, 0, NULL, listener) == 0 ? 0 : fail(run, errno, "seccomp listener");
}

int do_learn(struct run *run, const struct op_learn *op)
{
	const struct sync_msg msg = { .kind = SYNC_LISTENER, .index = run->current };
	struct sock_fprog program = { .len = (unsigned short)(op->filter.len / sizeof(struct sock_filter)),
				      .filter = (struct sock_filter *)(uintptr_t)op->filter.p };
	long listener;
	int sent;

	if (op->filter.len % sizeof(struct sock_filter) != 0 || program.len == 0)
		return fail(run, EINVAL, "learning filter of %u bytes", op->filter.len);
	say_exec(run);
	/* An ordinary signal must not interrupt a call that was asked about: that would change what the program sees. */
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
	if (listener < 0)
		return fail(run, errno, "filter that learns");
	sent = send_descriptor_passing(run->sync_fd, &msg, offsetof(struct sync_msg, detail), (int)listener, op->pass);
	/* Ours too would keep the calls waiting when who answers is gone. */
	syscall(SYS_close, listener, 0L, 0L, op->pass);
	return sent == 0 ? 0 : fail(run, EPIPE, "descriptor of the filter that learns");
}

/* Whether what still has to run uses DESCRIPTOR. */
static bool is_needed(const struct run *run, int descriptor)
{
	for (uint32_t i = run->current + 1; i < run->nops; i++) {
		const struct op *op = &run->ops[i];
		uint32_t slot = op->code == OP_WAIT_START ? op->args.wait_start.fifo : NO_SLOT;

		if (slot != NO_SLOT && run->slots[slot] == descriptor)
			return true;
	}
	return descriptor == run->sync_fd;
}

/* Closed here and not by execve: until then /proc/self/fd/N/../.. as the command would lead to wherever N is, out of the container
 * (CVE-2024-21626). Ours go by name too: preserved numbers may lie among them. What stays is no directory. */
int do_close_fds(struct run *run, const struct op_close_fds *op)
{
	int *const ours[] = { &run->root_dir, &run->proc_fd, &run->null_fd, &run->empty_fd };
	unsigned from = op->first;

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		close_fd(ours[i]);
	for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
		if (!is_needed(run, run->slots[i]))
			close_fd(&run->slots[i]);
	for (;;) {
		unsigned kept = (unsigned)run->sync_fd >= from ? (unsigned)run->sync_fd : ~0u; /* the lowest one from there on */

		for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
			if (run->slots[i] >= 0 && (unsigned)run->slots[i] >= from && (unsigned)run->slots[i] < kept)
				kept = (unsigned)run->slots[i];
		if (kept > from && syscall(SYS_close_range, from, kept == ~0u ? kept : kept - 1, 0) != 0)
			return fail(run, errno, "descriptors from %u on", from);
		if (kept == ~0u)
			return 0;
		from = kept + 1;
	}
}

int do_pdeathsig(struct run *run, const struct op_pdeathsig *op)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, (unsigned long)op->signal, 0, 0, 0) != 0)
		return fail(run, errno, "parent death signal %u", op->signal);
	/* The monitor may have died before this; in a new pid namespace getppid is 0 either way, the socket knows. */
	if (recv(run->sync_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return fail(run, ESRCH, "the monitor has died");
	return 0;
}

int do_keyring(struct run *run, const struct op_keyring *op)
{
	long id = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, op->name);
	char description[512];
	unsigned own;
	long n;

	if (id < 0)
		return errno == ENOSYS ? 0 : fail(run, errno, "session keyring %s", op->name);
	if (op->permissions == 0)
		return 0;
	/* "keyring;UID;GID;PERMISSIONS;NAME" (keyctl_describe(3)) */
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, description, sizeof(description) - 1);
	description[n > 0 && n < (long)sizeof(description) ? n : 0] = '\0';
	if (sscanf(description, "keyring;%*u;%*u;%x;", &own) != 1)
		return fail(run, n < 0 ? errno : EPROTO, "permissions of session keyring %s", op->name);
	return syscall(SYS_keyctl, KEYCTL_SETPERM, id, own | op->permissions) == 0 ? 0 : fail(run, errno, "permissions of session keyring %s", op->name);
}

int do_scheduler(struct run *run, const struct op_scheduler *op)
{
	/* sched_setattr(2), version 0 of the structure */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { sizeof(attr), op->policy, op->flags, op->nice, op->priority, op->runtime, op->deadline, op->period };

	return syscall(SYS_sched_setattr, 0, &attr, 0) == 0 ? 0 : fail(run, errno, "scheduler policy %u", op->policy);
}

int do_ioprio(struct run *run, const struct op_ioprio *op)
{
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, op->value) == 0 ? 0 : fail(run, errno, "I/O priority 0x%x", op->value);
}
