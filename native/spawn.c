/* Programs that are started beside the container's: logging programs, OCI runtimes, hooks. */
#include "strake.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>

#define DESCRIPTORS_FROM 3
#define USUAL_UMASK 022 /* ours is 0; what an OCI runtime has, its containers get */

int spawn_program(const struct spawn *spawn, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	mode_t mask;
	int moved[SPAWN_DESCRIPTORS_MAX], n = spawn->n, err;

	if (n > SPAWN_DESCRIPTORS_MAX)
		return EINVAL;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	if (spawn->directory)
		posix_spawn_file_actions_addfchdir_np(&files, *spawn->directory);
	for (int i = 0; spawn->stdio && i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, spawn->stdio[i], i);
	/* Out of the way first: one of them may have the number that another one is to get. */
	for (int i = 0; i < n; i++) {
		moved[i] = fcntl(spawn->descriptors[i], F_DUPFD_CLOEXEC, DESCRIPTORS_FROM + n);
		posix_spawn_file_actions_adddup2(&files, moved[i], DESCRIPTORS_FROM + i);
	}
	posix_spawn_file_actions_addclosefrom_np(&files, DESCRIPTORS_FROM + n);
	mask = umask(USUAL_UMASK);
	err = posix_spawn(pid, spawn->path, &files, &attributes, spawn->argv, spawn->env);
	umask(mask);
	for (int i = 0; i < n; i++)
		close_fd(&moved[i]);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return err;
}
