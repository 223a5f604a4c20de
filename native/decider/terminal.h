#ifndef STRAKE_DECIDER_TERMINAL_H
#define STRAKE_DECIDER_TERMINAL_H

/* Attaches to the monitor whose directory that is: the connection, or -1 with errno. From then on no output is lost. */
int terminal_attach(const char *dir);
/* Carries bytes, and the size, until the process has ended: its exit status. The terminal is raw meanwhile. Once in a process: the
 * connection stays open, at its end. */
int terminal_carry(int fd);

#endif
