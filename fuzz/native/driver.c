/* A coverage-guided fuzzer for one target, with nothing but gcc: compiled with -fsanitize-coverage=trace-pc the code under test calls in here at every
 * edge, and an input that reaches a new one joins the corpus.
 *   driver RUNS SEED [FILE…]   the files are the first corpus; exit 0: no finding. A crash or a run of more than a second leaves its input in ./crash-PID */
#include "target.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define EDGES (1u << 16)
#define CORPUS_MAX 4096u
#define INPUT_MAX (64u << 10)
#define RUN_SECONDS 1 /* of processor time: the machine may be busy */
#define STUCK_SECONDS 20

struct input {
	uint8_t *data;
	size_t len;
};

static uint8_t seen[EDGES];
static volatile int fresh; /* the current run has reached an edge for the first time */
static struct input corpus[CORPUS_MAX];
static size_t ncorpus;
static uint64_t state;
static const uint8_t *current;
static size_t current_len;

void __sanitizer_cov_trace_pc(void);

__attribute__((no_sanitize_address, no_sanitize_undefined)) void __sanitizer_cov_trace_pc(void)
{
	uintptr_t edge = (uintptr_t)__builtin_return_address(0);

	edge = (edge ^ edge >> 16) & (EDGES - 1);
	if (!seen[edge]) {
		seen[edge] = 1;
		fresh = 1;
	}
}

/* xorshift64: the same seed is the same run. */
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t below(size_t n)
{
	return n ? (size_t)(next() % n) : 0;
}

/* From a signal handler: only write(2) and friends. */
static void keep_input(void)
{
	char name[32] = "crash-", digits[16];
	size_t n = 0, at = 6;
	int fd;

	for (int pid = getpid(); pid > 0; pid /= 10)
		digits[n++] = (char)('0' + pid % 10);
	while (n > 0)
		name[at++] = digits[--n];
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, current, current_len) < 0)
		_exit(3);
	close(fd);
}

static void too_long(int number)
{
	static const char text[] = "a run took more than a second\n";

	(void)number;
	keep_input();
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(2);
}

/* AddressSanitizer and UBSan call this before they end the process. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	keep_input();
}

static void aborted(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void add(const uint8_t *data, size_t len)
{
	struct input *input = &corpus[ncorpus < CORPUS_MAX ? ncorpus++ : below(CORPUS_MAX)];

	free(input->data);
	input->data = malloc(len + 1);
	if (!input->data)
		exit(3);
	memcpy(input->data, data, len);
	input->len = len;
}

static void run(const uint8_t *data, size_t len)
{
	const struct itimerval limit = { .it_value = { .tv_sec = RUN_SECONDS } }, none = { 0 };
	const struct itimerval stuck = { .it_value = { .tv_sec = STUCK_SECONDS } };
	/* Exactly as long as it is, on the heap: a read past its end is seen. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		exit(3);
	memcpy(copy, data, len);
	current = data;
	current_len = len;
	fresh = 0;
	setitimer(ITIMER_PROF, &limit, NULL);
	setitimer(ITIMER_REAL, &stuck, NULL);
	fuzz_one(copy, len);
	setitimer(ITIMER_PROF, &none, NULL);
	setitimer(ITIMER_REAL, &none, NULL);
	free(copy);
	if (fresh)
		add(data, len);
}

static const uint32_t numbers[] = { 0, 1, 2, 4, 7, 8, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 1u << 20, 1u << 22, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

/* One change in place; the new length. */
static size_t mutate(uint8_t *data, size_t len)
{
	size_t at = below(len), n = 1 + below(16);
	const struct input *other = &corpus[below(ncorpus)];

	switch (len ? next() % 9 : 8) {
	case 0:
		data[at] ^= (uint8_t)(1u << below(8));
		return len;
	case 1:
		data[at] = (uint8_t)next();
		return len;
	case 2: /* a length or a code, in either order */
	case 3: {
		uint32_t value = numbers[below(sizeof(numbers) / sizeof(*numbers))] + (uint32_t)below(3) - 1;
		bool big = next() & 1;

		for (size_t i = 0; i < 4 && at + i < len; i++)
			data[at + i] = (uint8_t)(value >> 8 * (big ? 3 - i : i));
		return len;
	}
	case 4: /* without a piece */
		n = n < len - at ? n : len - at;
		memmove(data + at, data + at + n, len - at - n);
		return len - n;
	case 5: /* a piece twice */
		n = n < len - at ? n : len - at;
		n = n < INPUT_MAX - len ? n : INPUT_MAX - len;
		memmove(data + at + n, data + at, len - at);
		return len + n;
	case 6: /* a piece of another one over it */
		n = 1 + below(256);
		for (size_t i = 0; i < n && at + i < len && i < other->len; i++)
			data[at + i] = other->data[i];
		return len;
	case 7:
		return at;
	default: /* another one behind it */
		n = other->len < INPUT_MAX - len ? other->len : INPUT_MAX - len;
		memcpy(data + len, other->data, n);
		return len + n;
	}
}

static void read_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));

	if (n < 0) {
		perror(path);
		exit(3);
	}
	close(fd);
	run(data, (size_t)n);
	if (!fresh)
		add(data, (size_t)n);
}

int main(int argc, char *argv[])
{
	static uint8_t data[INPUT_MAX];
	unsigned long runs = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t edges = 0;

	if (argc < 3)
		return 3;
	state = strtoull(argv[2], NULL, 10) * 2 + 1;
	signal(SIGPROF, too_long);
	signal(SIGALRM, too_long);
	signal(SIGABRT, aborted);
	signal(SIGSEGV, aborted);
	fuzz_start();
	add(data, 0);
	for (int i = 3; i < argc; i++)
		read_file(argv[i]);
	for (unsigned long i = 0; i < runs; i++) {
		const struct input *parent = &corpus[below(ncorpus)];
		size_t len = parent->len;

		memcpy(data, parent->data, len);
		for (size_t changes = 1 + below(4); changes > 0; changes--)
			len = mutate(data, len);
		run(data, len);
	}
	for (size_t i = 0; i < EDGES; i++)
		edges += seen[i];
	printf("%lu runs, %zu edges, %zu inputs\n", runs, edges, ncorpus);
	return 0;
}
