/* Loads the seccomp filter in the file argv[1], then makes the calls that stdin names, a line each, and prints the errno of each (0: success).
 *   64 NUMBER A B C       by `syscall`
 *   32 NUMBER A B C       by `int 0x80`
 *   s2 CALL A B C         by `int 0x80` as socketcall, with the arguments in memory below 4 GiB */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static long int80(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

int main(int argc, char **argv)
{
    static struct sock_filter code[4096];
    int file = open(argc > 1 ? argv[1] : "", O_RDONLY);
    ssize_t length = read(file, code, sizeof code);
    uint32_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (length <= 0 || low == MAP_FAILED)
        return 1;
    struct sock_fprog program = {.len = length / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) {
        perror("seccomp");
        return 1;
    }
    char how[3];
    long number, a, b, c;
    while (scanf("%2s %ld %ld %ld %ld", how, &number, &a, &b, &c) == 5) {
        long result;
        if (!strcmp(how, "64")) {
            result = syscall(number, a, b, c);
            result = result < 0 ? -errno : 0;
        } else if (!strcmp(how, "32")) {
            result = int80(number, a, b, c);
        } else {
            low[0] = a, low[1] = b, low[2] = c;
            result = int80(102, number, (long)low, 0);
        }
        printf("%ld\n", result < 0 ? -result : 0);
    }
    return 0;
}
