/* The home directory of the container's user, from the container's own /etc/passwd: read as a file of a root that may be hostile, by no library. */
#include "strake.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWD_MAX_BYTES (1u << 20)
#define DEFAULT_HOME "/"
#define HOME_FIELDS 5 /* name:password:uid:gid:comment: come before it (passwd(5)) */

/* The content of the regular file FD as text. NULL: it is none, or too long. */
static char *read_text(int fd)
{
	char *text = malloc(PASSWD_MAX_BYTES + 1);
	size_t have = 0;
	ssize_t n = -1;
	struct stat st;

	if (text && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while (have < PASSWD_MAX_BYTES && (n = read(fd, text + have, PASSWD_MAX_BYTES - have)) > 0)
			have += (size_t)n;
	if (n != 0) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	return text;
}

/* The field of LINE that FIELDS others come before; its end is made one. NULL: it has fewer. */
static char *field(char *line, unsigned fields)
{
	while (fields-- > 0) {
		line = strchr(line, ':');
		if (!line++)
			return NULL;
	}
	line[strcspn(line, ":")] = '\0';
	return line;
}

static bool is_user(const char *line, uint32_t uid)
{
	const char *at = line;
	char *end;

	for (int i = 0; i < 2; i++) {
		at = strchr(at, ':');
		if (!at++)
			return false;
	}
	return *at >= '0' && *at <= '9' && strtoul(at, &end, 10) == uid && *end == ':';
}

/* The home of UID in TEXT, which is taken apart. NULL: no entry. */
static const char *find_home(char *text, uint32_t uid)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (is_user(line, uid))
			return field(line, HOME_FIELDS);
	return NULL;
}

int do_home(struct run *run, const struct op_home *op)
{
	int root = root_fd(run, NO_SLOT);
	/* Non-blocking: it may be a FIFO. */
	autoclose passwd = root < 0 ? -1 : sys_openat2(root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	char *text = read_text(passwd), *entry;
	const char *home = text ? find_home(text, op->uid) : NULL;
	int n = root < 0 ? -1 : asprintf(&entry, "HOME=%s", home ? home : DEFAULT_HOME);

	free(text);
	if (root < 0)
		return -1;
	if (n < 0)
		return fail(run, ENOMEM, "home directory");
	run->home = entry;
	return 0;
}

char *const *environment_with_home(const struct run *run, const struct op_strs *env)
{
	const char **with;

	if (!run->home)
		return (char *const *)env->v;
	with = calloc(env->n + 2, sizeof(*with));
	if (!with)
		return NULL;
	memcpy(with, env->v, env->n * sizeof(*with));
	with[env->n] = run->home;
	return (char *const *)(uintptr_t)with;
}
