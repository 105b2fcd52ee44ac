/* Reads an HTTP/1.1 response as its bytes come in: where its head, its body and its end are (RFC 9112). Pure.
 *
 * Anything that two readers could understand differently counts as broken: lengths that differ, encodings that nobody
 * asked for, lines that are no header. */
#pragma once

#include "buf.h"
#include "http.h"
#include "http_headers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_parser_state {
    PARSER_STATUS_LINE,
    PARSER_HEADERS,
    PARSER_LENGTH, /* a body of length bytes */
    PARSER_UNTIL_CLOSE, /* a body that ends with the connection */
    PARSER_CHUNK_SIZE,
    PARSER_CHUNK,
    PARSER_CHUNK_END,
    PARSER_TRAILERS,
    PARSER_COMPLETE
};

struct http_parser {
    enum http_parser_state state;
    int status; /* 0: no status line yet; an interim response's status stays until the next status line */
    int64_t length; /* the announced Content-Length; -1: none */
    uint64_t left; /* bytes left of the body, or of the chunk */
    bool is_old; /* HTTP/1.0 */
    bool is_chunked, says_close, says_keep_alive;
    bool has_line; /* partial holds a whole line, which was returned already */
    struct buf partial; /* the beginning of a line */
    struct http_headers headers;
    enum http_error error; /* why it is broken */
    const char *why; /* likewise, for people */
};

enum http_parser_step {
    PARSER_NEEDS_MORE, /* all the data was taken */
    PARSER_BODY, /* here is a piece of the body; go on */
    PARSER_DONE, /* complete: what is left of the data belongs to something else */
    PARSER_BROKEN /* see error and why */
};

/* Makes it ready for a response. Takes a zeroed one, and one that was used. */
void http_parser_reset(struct http_parser *a);
void http_parser_free(struct http_parser *a);
/* Takes what it can from the front of data. *ret_body is set with PARSER_BODY, and points into data. */
MUST_USE enum http_parser_step http_parser_take(struct http_parser *a, struct span *data, struct span *ret_body);
/* The connection was closed properly: PARSER_DONE if that ends the response, else PARSER_BROKEN. */
MUST_USE enum http_parser_step http_parser_end(struct http_parser *a);
/* Whether the connection may be used again after a response that is complete. */
bool http_parser_keeps_connection(const struct http_parser *a);
