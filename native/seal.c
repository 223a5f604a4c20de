/* CVE-2019-5736: a process of the container can open /proc/PID/exe of the process that set it up, and write to it later. So strake-init runs
 * from a sealed memfd, which nobody can write to, and never from its file. */
#include "strake.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* linux/memfd.h, since 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* linux/fcntl.h, since 6.3 */
#endif
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

static int copy_to(int memory, int self)
{
	struct stat st;
	off_t offset = 0;

	if (fstat(self, &st) != 0)
		return -1;
	while (offset < st.st_size)
		if (sendfile(memory, self, &offset, (size_t)(st.st_size - offset)) <= 0)
			return -1;
	return 0;
}

static bool has_seals(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

bool is_sealed(void)
{
	autoclose self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return self >= 0 && has_seals(self);
}

int seal_self(char *const argv[])
{
	autoclose self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	autoclose memory = -1;

	if (self < 0)
		return -1;
	if (has_seals(self))
		return 0;
	memory = memfd_create("strake-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (memory < 0 && errno == EINVAL) /* before 6.3 every memfd is executable */
		memory = memfd_create("strake-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || copy_to(memory, self) != 0)
		return -1;
	if (fcntl(memory, F_ADD_SEALS, SEALS | F_SEAL_EXEC) != 0 && fcntl(memory, F_ADD_SEALS, SEALS) != 0)
		return -1;
	fexecve(memory, argv, environ);
	return -1;
}
