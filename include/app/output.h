/* Results go to standard output without ever blocking the loop, whatever it is: a pipe whose reader is slow, a
 * terminal, a socket, a file. The descriptor's flags stay as they are: others may share it. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>

enum output_kind { OUTPUT_FILE, OUTPUT_SOCKET, OUTPUT_STREAM };

struct output {
    int fd;
    enum output_kind kind;
};

/* fd stays the caller's. */
struct output output_of(int fd);

/* Whether it can be written at all; else errno says why. */
bool output_is_open(const struct output *output);

enum output_status {
    OUTPUT_TOOK, /* *ret_count bytes were taken; it may be less than there are, and 0 */
    OUTPUT_CLOSED, /* nobody reads it any more */
    OUTPUT_FAILED /* errno */
};
/* Writes what there is room for at once. */
enum output_status output_write(const struct output *output, struct span bytes, size_t *ret_count);
