/* HTTP/1.1 as far as the clients of a sink speak it: a request with a Content-Length, an answer likewise. */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

struct sink_request {
    struct span line; /* "POST / HTTP/1.1" */
    struct span target; /* the value of X-Amz-Target; absent where there is none */
    struct span body;
    size_t size; /* bytes of the whole request */
};

enum sink_parsed { SINK_WHOLE, SINK_MORE, SINK_BROKEN };
/* Reads the request that in begins with. */
enum sink_parsed sink_http_parse(struct span in, struct sink_request *ret_request);

/* An answer is written after room for its head, which comes last. */
void sink_http_begin(struct buf *out);
/* headers: further lines, each with its end. The whole answer, or the absent span where out has failed. */
struct span sink_http_end(struct buf *out, int status, const char *headers);
