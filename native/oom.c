/* When the memory of a cgroup runs out: v1's memory.oom_control and v2's memory.events, which both have a line `oom_kill N`. */
#include "strake.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

int64_t cgroup_counter(const char *file, const char *name)
{
	char text[512], *p;
	autoclose fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	for (p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (strncmp(p, name, strlen(name)) == 0 && p[strlen(name)] == ' ')
			return strtoll(p + strlen(name), NULL, 10);
	return 0;
}

static bool is_v1(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash && strcmp(slash, "/memory.oom_control") == 0;
}

/* cgroup-v1/memory.rst, "OOM Control": an eventfd, readable also when the cgroup is removed. */
static int watch_v1(const char *file)
{
	char path[PROGRAM_MAX_PATH + 32], line[32];
	autoclose control = open(file, O_RDONLY | O_CLOEXEC);
	int event = control < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int len = snprintf(line, sizeof(line), "%d %d", event, control);

	snprintf(path, sizeof(path), "%.*s/cgroup.event_control", (int)(strrchr(file, '/') - file), file);
	if (event >= 0 && write_fd(open(path, O_WRONLY | O_CLOEXEC), line, (size_t)len) != 0)
		close_fd(&event);
	return event;
}

int oom_watch(const char *file)
{
	int watch;

	if (is_v1(file))
		return watch_v1(file);
	/* cgroup-v2.rst: a change gives a modified event. */
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch >= 0 && inotify_add_watch(watch, file, IN_MODIFY) < 0)
		close_fd(&watch);
	return watch;
}
