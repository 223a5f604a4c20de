/* kill-after MICROSECONDS CHOICE COMMAND…: starts COMMAND without stdio, and after that time kills (SIGKILL) one process of it, or of those below it:
 * the one at CHOICE modulo their number. Ends when that process has, and says which it was of how many; or, when COMMAND was faster, "ended" and
 * after how many microseconds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSES 64

static pid_t tree[MAX_PROCESSES];
static unsigned count;

static void collect(pid_t pid)
{
	char path[64];
	FILE *children;
	int child;

	if (count == MAX_PROCESSES)
		return;
	tree[count++] = pid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &child) == 1)
		collect(child);
	if (children)
		fclose(children);
}

static void start(char *argv[])
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	execv(argv[0], argv);
	_exit(127);
}

static long microseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000 + (now.tv_nsec - start->tv_nsec) / 1000;
}

int main(int argc, char *argv[])
{
	long microseconds = argc > 3 ? atol(argv[1]) : -1;
	struct timespec delay = { microseconds / 1000000, microseconds % 1000000 * 1000 }, started;
	struct pollfd command, victim;
	unsigned choice;
	pid_t pid;

	if (microseconds < 0)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &started);
	pid = fork();
	if (pid == 0)
		start(argv + 3);
	if (pid < 0)
		return 1;
	command = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	if (ppoll(&command, 1, &delay, NULL) > 0) {
		printf("ended %ld\n", microseconds_since(&started));
		return 0;
	}
	collect(pid);
	choice = (unsigned)atoi(argv[2]) % count;
	victim = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, tree[choice], 0), .events = POLLIN };
	if (victim.fd >= 0 && syscall(SYS_pidfd_send_signal, victim.fd, SIGKILL, NULL, 0) == 0)
		poll(&victim, 1, -1);
	printf("killed %u of %u\n", choice, count);
	return 0;
}
