/* The response headers that are kept, and the size of all headers. Pure. */
#pragma once

#include "http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_HEADER_SIZE 288 /* a longer value counts as absent; a trace header has 256 bytes */
#define KEPT_HEADERS_SIZE                                                                                              \
    1024 /* of all values, each with its end; one that doesn't fit beside the others is absent too */
#define HEADERS_CEILING ((size_t)64 * 1024) /* all header lines of a response together */

struct http_headers {
    size_t bytes; /* of all lines so far */
    uint16_t kept_size[HTTP_KEPT_HEADERS]; /* length + 1; 0: absent */
    uint16_t kept_at[HTTP_KEPT_HEADERS]; /* where in kept */
    uint16_t used; /* of kept; there are no gaps */
    char kept[KEPT_HEADERS_SIZE];
};

/* Forgets everything. */
void http_headers_reset(struct http_headers *h);
/* Counts this many bytes of a line. False: all lines together are over the ceiling. */
MUST_USE bool http_headers_count(struct http_headers *h, size_t bytes);
/* Forgets what was kept, but not what was counted: it belonged to an interim response such as 100 Continue. */
void http_headers_begin(struct http_headers *h);
/* Keeps a header if it is one to keep. False: it isn't. The value must have no white space around it. */
bool http_headers_keep(struct http_headers *h, struct span name, struct span value);
/* The header's value, NUL-terminated, valid until the next one is kept. Absent: it didn't come, or was too long. */
static inline struct span http_headers_get(const struct http_headers *h, enum http_header header) {
    return h->kept_size[header] ? span_of(h->kept + h->kept_at[header], h->kept_size[header] - 1U)
                                : (struct span){NULL, 0};
}
