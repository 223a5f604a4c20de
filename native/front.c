/* The front of the OCI command line: the process that the caller of `strake-runc` sees, and the ancestor of what it starts. It starts the
 * program that decides (strake-decider, beside our own file), seals itself meanwhile, and runs the programs that come back.
 * Nothing is decided here. */
#include "strake.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Between the two lives of this process, before and after the seal: "DESCRIPTOR PID" of the connection and of the decider. */
#define STATE_VARIABLE "STRAKE_FRONT"
/* For the decider: the number of its end of the connection. */
#define CONTROL_VARIABLE "STRAKE_CONTROL"
/* The child: `strake-decider` beside our own file, under the name that we were called by. */
_Noreturn static void become_decider(char *argv[], int control, pid_t front)
{
	static const int ours[] = { SIGHUP, SIGINT, SIGQUIT };
	char path[PROGRAM_MAX_PATH + 16], variable[64];
	ssize_t n = readlink("/proc/self/exe", path, PROGRAM_MAX_PATH);
	char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;

	snprintf(variable, sizeof(variable), "%d", control);
	/* The terminal's signals are handled by the front; what the decider has begun it brings to an end, unless the front is gone. */
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		signal(ours[i], SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != front) /* it died before that: nobody would end us */
		_exit(1);
	fcntl(control, F_SETFD, 0);
	if (slash && setenv(CONTROL_VARIABLE, variable, 1) == 0) {
		strcpy(slash + 1, "strake-decider");
		execv(path, argv);
	}
	dprintf(2, "strake-runc: cannot run strake-decider, which belongs beside strake-init: %s\n", strerror(errno));
	_exit(1);
}

/* The first life, from our file. Returns only with errno. */
static int start(char *argv[])
{
	char state[64];
	int pair[2];
	pid_t front = getpid(), pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become_decider(argv, pair[1], front);
	if (pid < 0)
		return -1;
	close(pair[1]);
	snprintf(state, sizeof(state), "%d %d", pair[0], pid);
	if (setenv(STATE_VARIABLE, state, 1) != 0 || fcntl(pair[0], F_SETFD, 0) != 0)
		return -1;
	return seal_self(argv);
}

/* Our exit status: that of the decider, or what it has left to us; what failed to start is told by the decider. */
static int await_decider(const struct run *run)
{
	int status = run->decider_status;

	if (!run->decider_ended)
		while (waitpid(run->decider, &status, 0) < 0 && errno == EINTR)
			;
	return run->handed_over && run->failed.index == NO_OP ? exit_code(run->init_status) : exit_code(status);
}

/* The second life: runs what comes over the connection, until the decider has ended or a process was waited for. */
static int serve(int conn, pid_t decider)
{
	static struct run run;
	uint8_t type = 0, *payload = NULL;
	uint32_t len = 0;

	run_init(&run, conn);
	run.decider = decider;
	while (conn_read_frame(conn, &type, &payload, &len, PROGRAM_MAX_BYTES + 64) == 1 && type == FRAME_PROGRAM) {
		run_init(&run, conn);
		run.decider = decider;
		if (program_decode(payload, len, &run) != 0)
			report_send(&run, PHASE_CREATED);
		else
			run_program(&run);
		free(run.ops);
		free(payload);
		if (run.monitor) /* the loop has the connection, and has closed it */
			break;
	}
	return await_decider(&run);
}

int front_main(int argc, char *argv[])
{
	const char *state = getenv(STATE_VARIABLE);
	int conn = -1, pid = 0;

	if (!is_sealed()) {
		int status = run_prepared(argc, argv);

		if (status >= 0)
			return status;
		start(argv);
		perror("strake-runc: cannot start");
		return 1;
	}
	if (!state || sscanf(state, "%d %d", &conn, &pid) != 2 || pid <= 0 || fcntl(conn, F_SETFD, FD_CLOEXEC) != 0) {
		fprintf(stderr, "strake-runc: %s is not what it left itself\n", STATE_VARIABLE);
		return 1;
	}
	unsetenv(STATE_VARIABLE);
	return serve(conn, pid);
}
