/* Builds filters with libseccomp, many in one process, for the comparison with ours: reads a line a statement, and answers each `export` on stdout with
 * the length (u32, little endian) and the array of struct sock_filter; a profile that libseccomp refuses has the length 0.
 *   profile ACTION       begins one, for x86_64 alone
 *   rule ACTION NAME [INDEX OP A B]*
 *   export */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void add_rule(scmp_filter_ctx filter, uint32_t action, char **words)
{
	char *name = strtok_r(NULL, " \n", words), *word;
	struct scmp_arg_cmp args[6];
	unsigned count = 0;
	int error;

	while (count < 6 && (word = strtok_r(NULL, " \n", words))) {
		uint64_t fields[4] = { strtoull(word, NULL, 10) };

		for (int i = 1; i < 4; i++)
			fields[i] = strtoull((word = strtok_r(NULL, " \n", words)) ? word : "0", NULL, 10);
		args[count++] = (struct scmp_arg_cmp){ (unsigned)fields[0], (enum scmp_compare)fields[1], fields[2], fields[3] };
	}
	error = seccomp_rule_add_array(filter, action, seccomp_syscall_resolve_name(name), count, args);
	if (error != 0 && error != -EEXIST) {
		fprintf(stderr, "rule of %s: %s\n", name, strerror(-error));
		exit(1);
	}
}

static void export(scmp_filter_ctx filter)
{
	int file = memfd_create("filter", MFD_CLOEXEC);
	static uint8_t bytes[4 + 8 * 4096];
	uint32_t length = 0;
	ssize_t n;

	if (file < 0)
		exit(1);
	if (seccomp_export_bpf(filter, file) == 0 && (n = pread(file, bytes + 4, sizeof(bytes) - 4, 0)) > 0)
		length = (uint32_t)n;
	memcpy(bytes, &length, 4);
	close(file);
	if (fwrite(bytes, 1, 4 + length, stdout) != 4 + length)
		exit(1);
}

int main(void)
{
	scmp_filter_ctx filter = NULL;
	static char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		char *words = NULL, *word = strtok_r(line, " \n", &words), *value;

		if (word && strcmp(word, "export") == 0) {
			export(filter);
			seccomp_release(filter);
			filter = NULL;
			continue;
		}
		value = word ? strtok_r(NULL, " \n", &words) : NULL;
		if (!value)
			return 1;
		if (strcmp(word, "profile") == 0)
			filter = seccomp_init((uint32_t)strtoul(value, NULL, 10));
		else
			add_rule(filter, (uint32_t)strtoul(value, NULL, 10), &words);
		if (!filter)
			return 1;
	}
	return 0;
}
