/* docker --init: process 1 that hands signals on and reaps. An operation of our own runtime's programs, and a face of this executable, which is bound into the
 * containers of other runtimes as /sbin/docker-init. */
#include "monitor.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define REAPER_SHOWN_WORDS 64
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

/* It executes nothing, it only sends signals: of its privileges CAP_KILL is left, for a child of another user. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 1u << CAP_KILL, 1u << CAP_KILL, 0 }, { 0, 0, 0 } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	if (syscall(SYS_capset, &header, data) != 0) { /* it had less already */
		memset(data, 0, sizeof(data));
		syscall(SYS_capset, &header, data);
	}
}

/* Pid 1 from here on: hands every signal to CHILD, reaps what is orphaned, ends as CHILD ends. */
_Noreturn static void reap_forever(pid_t child, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status;
		pid_t pid;

		if (sigwaitinfo(all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			/* Signals of the terminal reach the child's group by themselves; ours would be a second one. */
			if (info.si_code != SI_KERNEL)
				kill(child, info.si_signo);
			continue;
		}
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == child)
				_exit(exit_code(status));
	}
}

/* Inside it looks as docker's: the name of an init and what it runs. The monitor's title names things of the host. */
static void show_command(const struct run *run)
{
	const char *words[REAPER_SHOWN_WORDS] = { "--" };
	size_t n = 1;

	for (uint32_t i = run->current; i < run->nops; i++) {
		if (run->ops[i].code != OP_EXEC)
			continue;
		for (uint32_t j = 0; j < run->ops[i].args.exec.argv.n && n < REAPER_SHOWN_WORDS; j++)
			words[n++] = run->ops[i].args.exec.argv.v[j];
		break;
	}
	process_command_line("/sbin/docker-init", words, n);
}

/* With all signals blocked, for who stays. In the child 0, with none blocked; -1: errno says why not. */
static pid_t fork_below(sigset_t *all)
{
	sigset_t none;
	pid_t child;

	sigfillset(all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, all, NULL);
	child = fork();
	if (child != 0)
		return child;
	/* A group of its own, in the foreground of the terminal, as a shell does. */
	setpgid(0, 0);
	if (isatty(0))
		tcsetpgrp(0, getpgrp());
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

int do_reaper(struct run *run)
{
	sigset_t all;
	pid_t child = fork_below(&all);

	if (child < 0)
		return fail(run, errno, "fork below the init");
	if (child > 0) {
		/* Ours are only stdio; the descriptors that lead to the monitor belong to the child, whose execve closes them. */
		syscall(SYS_close_range, 3u, ~0u, 0u);
		prctl(PR_SET_NAME, "docker-init");
		show_command(run);
		drop_privileges();
		reap_forever(child, &all);
	}
	return 0;
}

/* As the command line has it: [--] PROGRAM [ARGUMENT...]. Ends as the program ends; 126 and 127 say that it cannot be executed, as a shell's do. */
int reaper_main(char *argv[])
{
	sigset_t all;
	pid_t child;

	if (*argv && strcmp(*argv, "--") == 0)
		argv++;
	if (!*argv) {
		fputs("usage: docker-init [--] PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	child = fork_below(&all);
	if (child < 0) {
		perror("docker-init: fork");
		return EXIT_NOT_EXECUTABLE;
	}
	if (child > 0) {
		drop_privileges();
		reap_forever(child, &all);
	}
	execvp(*argv, argv);
	fprintf(stderr, "docker-init: exec %s: %s\n", *argv, strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}
