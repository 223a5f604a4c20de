/* What the parts of the monitor share: frames, the log, the clients. */
#ifndef MONITOR_H
#define MONITOR_H
#include "strake.h"

#include <poll.h>

/* --- conn.c */
#define FRAME_HEADER 8u
void put_u32(uint8_t *p, uint32_t value);
void put_u64(uint8_t *p, uint64_t value);
uint32_t get_u32(const uint8_t *p);
void frame_header(uint8_t header[FRAME_HEADER], uint8_t type, uint32_t len);
uint32_t frame_length(const uint8_t header[FRAME_HEADER]);
/* Reads exactly LEN bytes. 1; 0: the connection ended before the first one; -1: errno. */
int conn_read_full(int fd, void *data, size_t len);

/* --- report.c */
/* Payload of a REPORT, malloc'ed; NULL: out of memory. */
uint8_t *report_make(const struct run *run, const struct failure *failed, enum report_phase phase, uint32_t *len);

/* --- log.c: the container's log file. Writing never blocks on the reader and never fails: what does not fit on the disk is dropped. */
struct log;
struct log *log_open(const char *path, uint32_t driver, uint64_t max_size, uint32_t max_files); /* NULL: errno */
void log_write(struct log *log, uint8_t stream, const uint8_t *data, size_t len); /* stream: FRAME_STDOUT or FRAME_STDERR */
void log_flush(struct log *log); /* what is left without a newline */
int log_reopen(struct log *log); /* 0 or -1: errno, and the old file stays */
void log_close(struct log *log);

/* --- queue.c: bytes that wait for a descriptor to take them */
struct queue {
	uint8_t *data;
	size_t start, end, capacity;
};
int queue_add(struct queue *queue, const void *data, size_t len); /* -1: out of memory */
void queue_drop(struct queue *queue, size_t len);
void queue_clear(struct queue *queue);
static inline size_t queue_length(const struct queue *queue)
{
	return queue->end - queue->start;
}

/* --- sinks.c: where else the output goes, by containerd's stdio */
#define SINKS_MAX 4
enum { STREAM_STDOUT = 1, STREAM_STDERR = 2 };
struct sink {
	int fd; /* -1: given up */
	uint32_t streams; /* STREAM_* */
	struct queue queue;
	uint64_t progress; /* monotonic ns of the last byte that it took, while output waits for it */
};
struct monitor;
void sink_flush(struct sink *sink);
void sinks_output(struct monitor *monitor, uint32_t stream, const uint8_t *data, size_t len); /* STREAM_* */
bool sinks_hold(const struct monitor *monitor); /* some have more waiting than they may */
bool sinks_wait(const struct monitor *monitor); /* some have not taken everything */
void sinks_give_up(struct monitor *monitor, uint64_t stalled_ns); /* on those that take nothing for so long */
void sinks_close(struct monitor *monitor); /* the source of stdin with them */
void source_read(struct monitor *monitor);
void source_ended(struct monitor *monitor);
void source_let_end(struct monitor *monitor); /* with its last writer */
void logger_kill(struct monitor *monitor, int signal);
void logger_await(struct monitor *monitor);

/* --- ops_oci.c: a process that an OCI runtime makes */
/* The frame START: runs the runtime. 0 or an errno. */
int runtime_start(struct monitor *monitor);
/* The runtime's process has ended with STATUS: the process that it made runs, or run->failed says why not. 0 or -1. */
int runtime_ended(struct monitor *monitor, int status);

/* --- attach.c: whoever is connected */
#define CLIENTS_MAX 256
#define STDIN_QUEUE_MAX (64u << 10) /* with more than this waiting, stdin is read from nobody */
#define CLIENT_FRAME_MAX (64u << 10)
#define CLIENT_QUEUE_MAX (1u << 20)
enum { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4, ATTACH_KEEP = 8 };
struct client {
	struct client *next;
	int fd;
	uint8_t header[FRAME_HEADER];
	uint32_t have; /* bytes of the frame that is being read, header included */
	uint8_t *payload;
	struct queue out;
	uint64_t progress; /* monotonic ns of the last byte that it took, while output waits for it */
	uint32_t attached; /* ATTACH_* */
	bool control; /* sent the program */
	bool starter; /* gets the REPORT of phase 1 */
	bool waits; /* gets EXIT */
	bool ended; /* it sends nothing any more */
	bool gone; /* it receives nothing any more */
	struct pollfd *poll; /* its entry in this round */
};

struct monitor {
	struct run *run;
	const struct op_monitor *op; /* NULL: a program without `monitor` */
	int dir, listener, signals;
	int memory; /* readable when the container's memory runs out, -1: nobody says */
	int input, output[2]; /* our ends of stdin; stdout and stderr, or the pty in output[0] (the descriptor is run->pty_master) */
	int child[3]; /* the init's ends, until clone */
	struct queue stdin_queue;
	bool stdin_ended; /* close stdin once the queue is empty */
	struct log *log;
	struct client *clients;
	unsigned nclients;
	struct sink sinks[SINKS_MAX];
	unsigned nsinks;
	int source; /* FIFO that stdin comes from, -1: none */
	pid_t logger; /* logging program, 0: none, or it has ended */
	const struct op_oci_runtime *runtime; /* who makes the process, NULL: we do */
	uint32_t runtime_index; /* of its operation */
	int console; /* listening, for the runtime's terminal; -1: none */
	pid_t runtime_pid; /* the runtime's process that makes or starts it just now, 0: none */
	uint64_t runtime_deadline; /* monotonic ns */
	bool abandoned; /* nobody can start it any more */
	bool looping, created, released, started, exited;
	bool start_kept; /* START came before the process was there */
	uint64_t terminal_retry; /* monotonic ns, 0: the terminal is read */
	uint64_t settles; /* monotonic ns: from then on the pages of the set-up are needless; 0: they are gone, or still needed */
	uint64_t exit_time; /* ns since the epoch */
	uint32_t oom_kills;
	uint32_t memory_looks; /* so often it is still looked for them */
	bool oom_untold; /* the last time nobody was there to tell */
};

static inline bool monitor_looping(const struct run *run)
{
	return run->monitor && run->monitor->looping;
}
/* Takes FD over. NULL: out of memory, FD is closed. */
struct client *client_add(struct monitor *monitor, int fd);
void client_send(struct client *client, uint8_t type, const void *payload, uint32_t len);
/* Reads and obeys what CLIENT sent; sends what waits for it. */
void client_events(struct monitor *monitor, struct client *client, short revents);
/* What to poll CLIENT for; POLLHUP comes without asking. -1: nothing, leave it out. */
int client_poll_events(const struct monitor *monitor, const struct client *client);
/* Frees the clients that are through. */
void clients_sweep(struct monitor *monitor);
void clients_output(struct monitor *monitor, uint8_t stream, const uint8_t *data, size_t len);
/* Whether some client has more output waiting than it may. */
bool clients_hold(const struct monitor *monitor);
int clients_report(struct monitor *monitor, const uint8_t *report, uint32_t len);
void client_send_exit(struct monitor *monitor, struct client *client);
/* Tells who waits for the exit, without being attached, that memory ran out. False: nobody does. */
bool clients_oom(struct monitor *monitor);
/* The control connection said START before the process was there, which has gone since. */
void clients_refuse_start(struct monitor *monitor);

/* --- monitor.c, for the clients' commands: 0 or an errno */
int monitor_signal(struct monitor *monitor, uint32_t signal, uint32_t flags);
int monitor_resize(struct monitor *monitor, uint32_t rows, uint32_t cols);
int monitor_start(struct monitor *monitor, bool control);
int monitor_reopen_log(struct monitor *monitor);
/* The process runs: notes it in the task directory, and tells who said START. */
void monitor_started(struct monitor *monitor);
/* One round of the loop, of at most TIMEOUT ms. -1: the process could not be made. */
int monitor_serve(struct monitor *monitor, int timeout);
void monitor_control_closed(struct monitor *monitor);

/* --- stdio.c */
#define TERMINAL_RETRY_NS 200000000u /* a terminal that nobody has open may be opened again: systemd closes its stdio and comes back to /dev/console */
/* The init's ends and ours, by the flags MONITOR_*. -1: errno. */
int make_stdio(struct monitor *monitor, uint32_t flags);
bool is_terminal(const struct monitor *monitor);
/* Where stdin is written to, -1: nowhere (yet, or any more). */
int stdin_fd(const struct monitor *monitor);
void monitor_stdin(struct monitor *monitor, const uint8_t *data, size_t len);
void monitor_stdin_end(struct monitor *monitor);
/* Gives the process what waits for it, as much as it takes. */
void write_stdin(struct monitor *monitor);
void close_stdin(struct monitor *monitor);
/* Whether the FIFO of stdin may be read: what comes has a place to go, or goes nowhere. */
bool takes_stdin(const struct monitor *monitor);
/* Takes the pty over when it has come. */
void adopt_terminal(struct monitor *monitor);
/* Reads a piece of output INDEX. Whether there may be more. */
bool read_output(struct monitor *monitor, int index);

/* --- zygote.c */
/* A listening socket at PATH (0600, non-blocking), in place of what was there. -1: errno. */
int listen_at(const char *path);
/* What ps shows, where there is room for it. */
void process_title(const char *role, const char *id);
/* The same as a command line: the words NAME and ARGV. */
void process_command_line(const char *name, const char *const *argv, size_t n);
#endif
