/* timed: runs commands once per line of its input, and prints how many nanoseconds they took and how they ended.
 *
 *   timed COMMAND [ARG…] [';' COMMAND [ARG…]]…        each input line: fork, exec, wait, for each command in turn; answers "NS STATUS\n"
 *
 * It stays in the namespaces in which it was started, so that the way there is no part of what is measured. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int run_once(char *argv[], int null_fd)
{
	int status = 0;
	pid_t child = vfork();

	if (child < 0)
		return -1;
	if (child == 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(null_fd, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Each command that a word ";" ends, up to the first that fails. */
static int run_all(char *argv[], char *const end[], int null_fd)
{
	int status = 0;

	while (argv < end && status == 0) {
		char **next = argv;

		while (*next)
			next++;
		status = run_once(argv, null_fd);
		argv = next + 1;
	}
	return status;
}

int main(int argc, char *argv[])
{
	char line[16];
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (argc < 2 || null_fd < 0)
		return 2;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], ";") == 0)
			argv[i] = NULL;
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t begun = now_ns();
		int status = run_all(argv + 1, argv + argc, null_fd);

		printf("%llu %d\n", (unsigned long long)(now_ns() - begun), status);
		fflush(stdout);
	}
	return 0;
}
