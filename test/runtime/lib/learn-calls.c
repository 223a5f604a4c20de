/* Calls of a thread, of a child, and of another ABI: each by one call that nothing else makes. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *none)
{
	syscall(SYS_sched_get_priority_max, 0);
	return none;
}

int main(void)
{
	pthread_t id;
	pthread_create(&id, 0, thread, 0);
	pthread_join(id, 0);
	if (fork() == 0) {
		syscall(SYS_sched_get_priority_min, 0);
#ifdef __x86_64__
		long result;
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); /* i386's getpid */
		_exit(result == getpid() ? 0 : 1);
#endif
		_exit(0);
	}
	int status;
	wait(&status);
	return status != 0;
}
