/* Which system calls a container makes (run --learn): every one is asked about by seccomp user notification, and let go on. Nothing is decided, so that
 * what a call's arguments point to need not be read, and the caveats of seccomp_unotify(2) do not apply. */
#include "strake.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64) /* linux/seccomp.h, since 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
/* More than all architectures of a machine have calls. A power of two. */
#define SEEN_SLOTS 8192u

struct seen {
	uint64_t slots[SEEN_SLOTS]; /* architecture and number, with a bit above that marks the slot as taken */
	size_t count;
};

/* Whether it is new; past the limit nothing is. */
static bool note(struct seen *seen, uint32_t arch, uint32_t number)
{
	const uint64_t key = (uint64_t)arch << 32 | number;
	uint32_t at = (arch * 31u + number) * 2654435761u % SEEN_SLOTS;

	/* No architecture is 0, so neither is a key. */
	while (seen->slots[at] != 0 && seen->slots[at] != key)
		at = (at + 1) % SEEN_SLOTS;
	if (seen->slots[at] == key || seen->count >= SEEN_SLOTS / 2)
		return false;
	seen->slots[at] = key;
	seen->count++;
	return true;
}

/* Answers until no process is left under the filter. */
static void answer(int listener, int record)
{
	static struct seen seen;
	struct pollfd watched = { .fd = listener, .events = POLLIN };

	/* One of the two sleeps whenever the other runs: they need no second processor. Older kernels do without. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		struct seccomp_notif request = { 0 };
		struct seccomp_notif_resp response = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		/* Before 6.11 a receiver that sleeps is not woken when all have ended; poll tells it since 5.9. */
		if (poll(&watched, 1, -1) == 1 && !(watched.revents & POLLIN))
			return;
		/* Who called may have been killed meanwhile. */
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
			continue;
		if (note(&seen, request.data.arch, (uint32_t)request.data.nr))
			dprintf(record, "%08x %u\n", request.data.arch, (uint32_t)request.data.nr);
		response.id = request.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

int learn_start(struct run *run, const struct op_learn *op, int fd)
{
	pid_t pid;

	if (op->record == NO_SLOT || run->slots[op->record] < 0)
		return fail(run, EBADF, "record slot is empty");
	pid = fork();
	if (pid < 0)
		return fail(run, errno, "process that learns");
	if (pid > 0)
		return 0;
	/* The signals of the terminal are the container's; without this process its calls would fail. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	prctl(PR_SET_NAME, "strake-learn");
	if (dup2(run->slots[op->record], 1) != 1 || dup2(fd, 0) != 0 || dup2(1, 2) != 2)
		_exit(1);
	/* All else belongs to the monitor: whose end others wait for must not stay open here. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
	answer(0, 1);
	_exit(0);
}
