/* The lines of a response's head, and what is kept of them. Pure. */
#pragma once

#include "http.h"

#include <stdbool.h>
#include <stddef.h>

#define KEPT_HEADER_SIZE 128 /* a longer value is as good as none */
#define HEADERS_CEILING ((size_t)64 * 1024) /* all header lines of a response together */

struct http_headers {
    size_t bytes;                        /* of all lines so far */
    size_t kept_size[HTTP_KEPT_HEADERS]; /* length + 1; 0: absent */
    char kept[HTTP_KEPT_HEADERS][KEPT_HEADER_SIZE];
};

/* Forgets all that was taken. */
void http_headers_reset(struct http_headers *h);
/* Takes one line, a status line too, with or without its line end. False: all lines together are over the ceiling. */
MUST_USE bool http_headers_take(struct http_headers *h, struct span line);
/* Counts one line of which nothing is kept. False: likewise. */
MUST_USE bool http_headers_skip(struct http_headers *h, struct span line);
/* The header's value without white space around it, terminated, until the next line; absent where it didn't come or was unreasonably long. */
struct span http_headers_get(const struct http_headers *h, enum http_header header);
