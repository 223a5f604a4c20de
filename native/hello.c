/* The program of the built-in image `hello`: prints what its container looks like from inside. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define OVERLAYFS_MAGIC 0x794c7630 /* linux/magic.h */

/* Copies the text after "NAME:" of /proc/self/status into out; empty when missing. */
static void status_field(const char *name, char *out, size_t size)
{
	char line[256];
	size_t n = strlen(name);
	FILE *f = fopen("/proc/self/status", "re");

	out[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		snprintf(out, size, "%s", line + n + 1 + strspn(line + n + 1, " \t"));
		out[strcspn(out, "\n")] = '\0';
	}
	if (f)
		fclose(f);
}

/* The first line of a file, or "-" when it cannot be read. */
static void first_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(out, (int)size, f))
		snprintf(out, size, "-");
	if (f)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
}

/* cgroup v1 has one directory per controller, v2 one for all (cgroups(7)). */
static void cgroup_limit(const char *v1, const char *v2, char *out, size_t size)
{
	first_line(v1, out, size);
	if (strcmp(out, "-") == 0)
		first_line(v2, out, size);
	if (strcmp(out, "-") == 0 || strcmp(out, "max") == 0 || strcmp(out, "-1") == 0 || strtoull(out, NULL, 10) > 1ULL << 60)
		snprintf(out, size, "none");
}

static void print_namespaces(void)
{
	static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time" };

	printf("  namespaces   ");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("%s%s", i ? " " : "", target);
	}
	printf("\n");
}

static void print_capabilities(void)
{
	char effective[64], bounding[64], inheritable[64];

	status_field("CapEff", effective, sizeof(effective));
	status_field("CapBnd", bounding, sizeof(bounding));
	status_field("CapInh", inheritable, sizeof(inheritable));
	printf("  capabilities effective %s, bounding %s, inheritable %s (%d of them)\n", effective, bounding, inheritable,
	       __builtin_popcountll(strtoull(effective, NULL, 16)));
}

int main(void)
{
	static const char *const modes[] = { "off", "strict", "filter" };
	struct utsname uts;
	struct statfs root;
	char seccomp[32], nnp[32], memory[64], pids[64], cwd[4096];
	unsigned long mode;

	if (uname(&uts) != 0 || statfs("/", &root) != 0)
		return 1;
	status_field("Seccomp", seccomp, sizeof(seccomp));
	status_field("NoNewPrivs", nnp, sizeof(nnp));
	mode = strtoul(seccomp, NULL, 10);
	cgroup_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", memory, sizeof(memory));
	cgroup_limit("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max", pids, sizeof(pids));

	printf("Hello from a container.\n\nThis is what it looks like from inside:\n");
	printf("  process      pid %d, user %u:%u, in %s\n", getpid(), getuid(), getgid(), getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	printf("  host name    %s\n", uts.nodename);
	printf("  kernel       %s %s\n", uts.sysname, uts.release);
	print_namespaces();
	printf("  root         %s, %s\n", root.f_type == OVERLAYFS_MAGIC ? "overlayfs" : "another filesystem",
	       access("/", W_OK) == 0 ? "writable" : "read-only");
	print_capabilities();
	printf("  seccomp      %s, no_new_privs %s\n", mode < 3 ? modes[mode] : "?", nnp);
	printf("  cgroup       memory limit %s, pids limit %s\n", memory, pids);
	printf("\nSee how it was made, without running anything:  strake explain hello\n");
	printf("Run something bigger:                            strake run -it debian bash\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
