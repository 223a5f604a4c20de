/* The first process of a pod that shares one: it holds the pod's namespaces by being there, and waits. As pid 1 of them it gets the orphans of
 * all containers; nobody asks how they ended, so the kernel is told not to keep it (wait(2), SA_NOCLDWAIT). */
#include "strake.h"

#include <signal.h>

int pause_main(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN, .sa_flags = SA_NOCLDWAIT };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	if (sigaction(SIGCHLD, &ignore, NULL) != 0 || sigprocmask(SIG_BLOCK, &ends, NULL) != 0)
		return 1;
	/* Another signal's handler may end the wait; there is none, and being stopped and continued is no end. */
	while (sigwaitinfo(&ends, NULL) < 0)
		;
	return 0;
}
