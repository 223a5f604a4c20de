/* When a container is made it is known what its start and its removal will do. The decider leaves these programs beside the container's state, and
 * the command lines that ask for just that are carried out without it. Whatever is not as prepared is the decider's to look at: it finds all as it was, but for what has
 * succeeded. */
#include "strake.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_BYTES (sizeof(OPS_HASH) - 1)

/* The value of the option NAME at argv[*i], as `--NAME=VALUE` or `--NAME VALUE`; *i moves on to it. NULL: it is another one. */
static const char *option(int argc, char *argv[], int *i, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], "--", 2) != 0 || strncmp(argv[*i] + 2, name, n) != 0)
		return NULL;
	if (argv[*i][2 + n] == '=')
		return argv[*i] + 3 + n;
	return argv[*i][2 + n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

/* The file name of what the words from argv[i] on ask for: start ID, delete [-f|--force] ID. NULL: something else. */
static const char *prepared_name(int left, char *words[])
{
	if (left == 2 && strcmp(words[0], "start") == 0)
		return "start.program";
	if (left == 2 && strcmp(words[0], "delete") == 0)
		return "delete.program";
	if (left == 3 && strcmp(words[0], "delete") == 0 && (strcmp(words[1], "-f") == 0 || strcmp(words[1], "--force") == 0))
		return "delete-force.program";
	return NULL;
}

static bool is_id(const char *id)
{
	if (*id == '-' || is_dots(id) || !*id)
		return false;
	for (; *id; id++)
		if (!isalnum((unsigned char)*id) && !strchr("_+.-", *id))
			return false;
	return true;
}

/* The program in the file PATH, malloc'ed; NULL when there is none that is ours and of this very operation table. */
static uint8_t *read_prepared(const char *path, size_t *len)
{
	autoclose fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t *data = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022 || st.st_size <= (off_t)HASH_BYTES ||
	    st.st_size > (off_t)PROGRAM_MAX_BYTES)
		return NULL;
	data = malloc((size_t)st.st_size);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size || memcmp(data, OPS_HASH, HASH_BYTES) != 0) {
		free(data);
		return NULL;
	}
	*len = (size_t)st.st_size;
	return data;
}

int run_prepared(int argc, char *argv[])
{
	static struct run run;
	const char *root = geteuid() == 0 ? DEFAULT_STATE_ROOT : NULL;
	const char *name, *value, *id = argv[argc - 1];
	char path[PROGRAM_MAX_PATH + 1];
	uint8_t *data;
	size_t len = 0;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if ((value = option(argc, argv, &i, "root")))
			root = value;
		/* Where errors would go; there are none here. */
		else if (!option(argc, argv, &i, "log") && !option(argc, argv, &i, "log-format"))
			return -1;
	}
	name = prepared_name(argc - i, argv + i);
	if (!name || !root || !is_id(id) || snprintf(path, sizeof(path), "%s/%s/%s", root, id, name) >= (int)sizeof(path))
		return -1;
	data = read_prepared(path, &len);
	if (!data)
		return -1;
	run_init(&run, -1);
	return program_decode(data + HASH_BYTES, len - HASH_BYTES, &run) == 0 && run_program(&run) == 0 ? 0 : -1;
}
