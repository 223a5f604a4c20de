/* Seccomp user notification (seccomp_unotify(2)): from the process that loaded the filter to the agent that answers for it. */
#include "strake.h"

int listener_hand_over(struct run *run, const struct op_seccomp *op, int fd)
{
	/* The decoder's copy is the program's; it may be sent once only, so the change in place is seen by nobody. */
	uint8_t *state = (uint8_t *)(uintptr_t)op->metadata.p;
	int result;

	if (op->listener == NO_SLOT || run->slots[op->listener] < 0)
		return fail(run, EBADF, "seccomp listener slot is empty");
	if (fill_pid_fields(state, op->metadata.len, &op->pid_offsets, run->report_pid) != 0)
		return fail(run, errno, "container process state");
	result = send_descriptor(run->slots[op->listener], state, op->metadata.len, fd);
	if (result != 0)
		fail(run, errno, "container process state to the seccomp agent");
	/* One state a connection (config-linux.md, listenerPath). */
	close_fd(&run->slots[op->listener]);
	return result;
}
