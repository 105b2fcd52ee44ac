/* A program of the build, which is not installed: prints the completion script of a shell. */
#include "completion.h"

#include <stdio.h>
#include <stdlib.h>

#define SCRIPT_MAX ((size_t)1024 * 1024)

int main(int argc, char **argv) {
    struct buf out;
    buf_init(&out, SCRIPT_MAX);
    bool printed = argc == 2 && completion_append(argv[1], &out) && fwrite(out.data, 1, out.len, stdout) == out.len &&
                   fflush(stdout) == 0;
    if (!printed) {
        (void)fputs("usage: print_completion bash|zsh|fish\n", stderr);
    }
    buf_free(&out);
    return printed ? EXIT_SUCCESS : EXIT_FAILURE;
}
