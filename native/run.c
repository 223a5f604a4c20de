/* The driver: executes a program in list order, over two processes. Only one of them runs at a time: where the side changes, one hands
 * over by SYNC_GO and waits. The last part of the init (up to execve) runs beside `reap`, which listens to it. */
#include "strake.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define FAILURE_STATUS 1

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void run_init(struct run *run, int conn)
{
	memset(run, 0, sizeof(*run));
	run->conn = conn;
	run->failed.index = run->cleanup_index = NO_OP;
	run->root_dir = run->hook_runner = run->sync_fd = run->init_pidfd = run->pty_master = run->self_fds = run->proc_fd = run->null_fd = run->empty_fd = -1;
	for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
		run->slots[i] = -1;
}

int fail(struct run *run, int err, const char *fmt, ...)
{
	va_list args;

	if (run->failed.index != NO_OP)
		return -1;
	run->failed.index = run->current;
	run->failed.err = err;
	va_start(args, fmt);
	vsnprintf(run->failed.detail, sizeof(run->failed.detail), fmt, args);
	va_end(args);
	return -1;
}

static int execute(struct run *run, const struct op *op)
{
	switch ((enum op_code)op->code) {
#define CASE(CODE, name)                                                                                                                     \
	case OP_##CODE:                                                                                                                          \
		return do_##name(run, &op->args.name);
#define CASE_BARE(CODE, name)                                                                                                                \
	case OP_##CODE:                                                                                                                          \
		return do_##name(run);
		PROGRAM_OPS(CASE, CASE_BARE)
#undef CASE
#undef CASE_BARE
	default: /* the decoder lets no `file` operation in */
		return fail(run, EINVAL, "%s is not an operation of a program", op->desc->name);
	}
}

static int execute_timed(struct run *run, uint32_t index)
{
	uint64_t start;
	int result;

	run->current = index;
	if (!run->ns)
		return execute(run, &run->ops[index]);
	start = monotonic_ns();
	/* execve does not return: who sees that it succeeded makes a duration of this (sync_receive). */
	if (run->ops[index].code == OP_EXEC)
		run->ns[index] = start;
	result = execute(run, &run->ops[index]);
	run->ns[index] = monotonic_ns() - start;
	return result;
}

/* --- init side ----------------------------------------------------------------------------------------------------- */

_Noreturn void init_main(struct run *run)
{
	sync_await(run, SYNC_GO);
	for (;;) {
		uint32_t i = run->current;

		while (i < run->nops && run->ops[i].side == SIDE_INIT) {
			if (execute_timed(run, i) != 0) {
				/* The monitor of a detached init is gone by now: the person at the other end of stderr is all that is left. */
				if (sync_send(run, SYNC_FAILED, run->failed.index, run->failed.err, run->failed.detail, -1) != 0)
					dprintf(2, "%s\n", run->failed.detail);
				_exit(FAILURE_STATUS);
			}
			i++;
		}
		if (sync_send(run, SYNC_GO, i, 0, NULL, -1) != 0)
			_exit(FAILURE_STATUS);
		sync_await(run, SYNC_GO);
	}
}

_Noreturn static void end_by_signal(int number)
{
	_exit(128 + number);
}

/* The first process of a pid namespace gets no signal that it has no handler for: who waits for its start could not be ended but by SIGKILL. */
static void handle_terminations(void (*handler)(int))
{
	static const int terminations[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM };

	for (size_t i = 0; i < sizeof(terminations) / sizeof(*terminations); i++)
		signal(terminations[i], handler);
}

int do_wait_start(struct run *run, const struct op_wait_start *op)
{
	char byte;
	ssize_t n;

	if (op->fifo != NO_SLOT && run->slots[op->fifo] < 0)
		return fail(run, EBADF, "slot %u is empty", op->fifo);
	if (sync_send(run, SYNC_CREATED, run->current, 0, NULL, -1) != 0)
		return fail(run, errno, "monitor");
	if (op->fifo == NO_SLOT) {
		uint32_t index = run->current;

		sync_await(run, SYNC_START);
		run->current = index;
		return 0;
	}
	handle_terminations(end_by_signal);
	do
		n = read(run->slots[op->fifo], &byte, 1);
	while (n < 0 && errno == EINTR);
	handle_terminations(SIG_DFL);
	return n == 1 ? 0 : fail(run, n < 0 ? errno : EPIPE, "start FIFO");
}

/* --- host side --------------------------------------------------------------------------------------------------- */

/* Whether the part of the init that starts at INDEX ends in execve. */
static bool is_last_part(const struct run *run, uint32_t index)
{
	while (index < run->nops && run->ops[index].side == SIDE_INIT)
		if (run->ops[index++].code == OP_EXEC)
			return true;
	return false;
}

/* Waits until the init hands back. The index to go on at, or NO_OP after a failure. */
static uint32_t await_init(struct run *run)
{
	for (;;) {
		int kind = sync_receive(run);

		if (kind == SYNC_GO)
			return run->current;
		if (kind < 0)
			fail(run, errno, "hand-over from the first process");
		if (kind <= 0 || kind == SYNC_FAILED)
			return NO_OP;
	}
}

static bool ends_set_up(const struct op *op)
{
	return op->code == OP_REAP || op->code == OP_DETACH;
}

int run_after_exec(struct run *run)
{
	bool executed = false;

	for (uint32_t i = 0; i < run->nops && !(executed && ends_set_up(&run->ops[i])); i++) {
		if (executed && execute_timed(run, i) != 0)
			return -1;
		executed |= run->ops[i].code == OP_EXEC;
	}
	return 0;
}

/* Lets the init run its operations from INDEX. The next index of the host, NO_OP after a failure. */
static uint32_t hand_over(struct run *run, uint32_t index)
{
	uint32_t next = index;

	if (sync_send(run, SYNC_GO, index, 0, NULL, -1) != 0 && errno != EPIPE) {
		fail(run, errno, "hand-over to the first process");
		return NO_OP;
	}
	if (!is_last_part(run, index))
		return await_init(run);
	/* What lies before that has to wait for the execve: run_after_exec. */
	while (!ends_set_up(&run->ops[next]))
		next++;
	return next;
}

static void run_host(struct run *run)
{
	uint32_t i = 0;

	while (i < run->nops && i <= run->reap && run->failed.index == NO_OP) {
		if (run->ops[i].side == SIDE_INIT)
			i = hand_over(run, i);
		else if (execute_timed(run, i) == 0)
			i++;
	}
}

/* A failure here is kept, but it stops nothing: what comes after it still has to be removed. */
static void run_cleanup(struct run *run)
{
	struct failure first = run->failed;

	for (uint32_t i = run->reap + 1; i < run->nops; i++) {
		run->failed.index = NO_OP;
		if (execute_timed(run, i) == 0 || run->cleanup_index != NO_OP)
			continue;
		run->cleanup_index = i;
		run->cleanup_err = run->failed.err;
	}
	run->failed = first;
}

void kill_init(struct run *run)
{
	int status;

	if (run->init_pid == 0 || run->init_reaped)
		return;
	kill(run->init_pid, SIGKILL);
	while (waitpid(run->init_pid, &status, __WALL) < 0 && errno == EINTR)
		;
	run->init_status = status;
	run->init_reaped = true;
	run->init_pid = 0;
}

/* Command line: the init lives on without us, after it waits for its start or has executed. */
int do_detach(struct run *run)
{
	for (;;) {
		int kind = run->sync_fd < 0 ? 0 : sync_receive(run);

		if (kind == SYNC_CREATED)
			break;
		if (kind < 0)
			return fail(run, errno, "hand-over from the first process");
		if (run->failed.index != NO_OP || (kind == 0 && run_after_exec(run) != 0))
			return -1;
		if (kind == 0)
			break;
	}
	report_send(run, run->has_wait_start ? PHASE_CREATED : PHASE_STARTED);
	run->detached = true;
	return 0;
}

/* What is open here of a process that goes on without us. */
static void release_init(struct run *run)
{
	for (size_t i = 0; i < PROGRAM_MAX_SLOTS; i++)
		close_fd(&run->slots[i]);
	close_fd(&run->sync_fd);
	close_fd(&run->hook_runner);
	close_fd(&run->init_pidfd);
	close_fd(&run->pty_master);
}

int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_program(struct run *run)
{
	bool failed;

	umask(0); /* modes in a program are exact; exec sets 022 when no umask operation did */
	if (run->flags & PROGRAM_DRY_RUN) {
		report_send(run, PHASE_CREATED);
		return 0;
	}
	if (run->flags & PROGRAM_TRACE && run->nops > 0) {
		run->ns = mmap(NULL, run->nops * sizeof(*run->ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (run->ns == MAP_FAILED)
			run->ns = NULL;
	}
	run_host(run);
	if (run->detached) {
		release_init(run);
		return 0;
	}
	failed = run->failed.index != NO_OP;
	if (failed)
		kill_init(run);
	run_cleanup(run);
	if (failed) {
		release_init(run); /* a front goes on with what takes the rest away, and may have few descriptors */
		report_send(run, run->exec_sent ? PHASE_STARTED : PHASE_CREATED);
	} else if (run->reap == run->nops) {
		report_send(run, PHASE_CREATED);
	}
	monitor_finish(run);
	if (failed)
		return FAILURE_STATUS;
	return run->init_reaped ? exit_code(run->init_status) : 0;
}
