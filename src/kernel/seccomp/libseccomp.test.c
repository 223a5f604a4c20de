/* Builds a filter with libseccomp for the comparison test: reads a profile, a line a statement, and writes struct sock_filter to stdout.
 *   arch TOKEN                        add an architecture (libseccomp's number)
 *   default ACTION
 *   rule ACTION NAME [INDEX OP A B]*
 * A name that libseccomp does not know is printed on stderr and passed over. */
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, int error)
{
    fprintf(stderr, "error: %s: %s\n", what, strerror(-error));
    exit(1);
}

int main(void)
{
    scmp_filter_ctx filter = NULL;
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        char *word = strtok(line, " \n");
        char *value = strtok(NULL, " \n");
        if (!word || !value)
            continue;
        uint32_t number = strtoul(value, NULL, 10);
        if (!strcmp(word, "default")) {
            filter = seccomp_init(number);
            if (!filter)
                die("init", -EINVAL);
            seccomp_arch_remove(filter, seccomp_arch_native());
            seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        } else if (!strcmp(word, "arch")) {
            int error = seccomp_arch_add(filter, number);
            if (error)
                die("arch", error);
        } else if (!strcmp(word, "rule")) {
            char *name = strtok(NULL, " \n");
            struct scmp_arg_cmp args[6];
            unsigned count = 0;
            for (char *index; count < 6 && (index = strtok(NULL, " \n")); count++) {
                args[count].arg = strtoul(index, NULL, 10);
                args[count].op = strtoul(strtok(NULL, " \n"), NULL, 10);
                args[count].datum_a = strtoull(strtok(NULL, " \n"), NULL, 10);
                args[count].datum_b = strtoull(strtok(NULL, " \n"), NULL, 10);
            }
            int call = seccomp_syscall_resolve_name(name);
            if (call == __NR_SCMP_ERROR) {
                fprintf(stderr, "unknown %s\n", name);
                continue;
            }
            int error = seccomp_rule_add_array(filter, number, call, count, args);
            if (error && error != -EEXIST)
                die(name, error);
        }
    }
    int error = seccomp_export_bpf(filter, 1);
    if (error)
        die("export", error);
    return 0;
}
