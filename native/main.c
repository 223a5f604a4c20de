/* strake-init: executes a program of operations, and stays as the monitor of the process that it started. Called as strake-runc it is the
 * front of the OCI command line, as docker-init a process 1 that reaps. */
#include "strake.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define CONTROL_FD 3

/* Descriptors 0-2 must be taken: a descriptor of ours with such a number would become the container's stdio. */
static int hold_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
	if (fd < 0)
		return -1;
	return close(fd);
}

/* What the caller ignores (bun and nohup do) must not reach the container; execve keeps ignored signals. */
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int run_connection(void)
{
	static struct run run;
	uint8_t type = 0, *payload = NULL;
	uint32_t len = 0;

	if (fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) != 0)
		return 1;
	run_init(&run, CONTROL_FD);
	if (conn_read_frame(CONTROL_FD, &type, &payload, &len, PROGRAM_MAX_BYTES + 64) != 1 || type != FRAME_PROGRAM)
		return 1;
	if (program_decode(payload, len, &run) != 0) {
		report_send(&run, PHASE_CREATED);
		return 1;
	}
	return run_program(&run);
}

static int usage(void)
{
	fputs("usage: strake-init zygote SOCKET | run [--no-seal] | pause | version\n", stderr);
	return 2;
}

int main(int argc, char *argv[])
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";
	bool front = strcmp(name, "strake-runc") == 0;
	bool zygote = argc == 3 && strcmp(argv[1], "zygote") == 0;
	bool run = argc >= 2 && strcmp(argv[1], "run") == 0;
	bool no_seal = run && argc == 3 && strcmp(argv[2], "--no-seal") == 0;

	if (front) {
		if (hold_stdio() != 0) {
			perror("strake-runc: /dev/null");
			return 1;
		}
		default_signals();
		return front_main(argc, argv);
	}
	if (strcmp(name, "docker-init") == 0)
		return reaper_main(argv + 1);
	if (argc == 2 && strcmp(argv[1], "version") == 0)
		return puts(OPS_HASH) < 0;
	if (argc == 2 && strcmp(argv[1], "pause") == 0)
		return pause_main();
	if (!zygote && !(run && (argc == 2 || no_seal)))
		return usage();
	if (hold_stdio() != 0)
		return 1;
	if (!no_seal && seal_self(argv) != 0) {
		perror("strake-init: cannot run from a sealed copy");
		return 1;
	}
	default_signals();
	prctl(PR_SET_NAME, "strake-init"); /* after the execution of a memfd it is that descriptor's number */
	return zygote ? zygote_main(argv[2]) : run_connection();
}
