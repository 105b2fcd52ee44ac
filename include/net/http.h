/* HTTP/1.1 transfers, many at once, on the loop. Callers see one struct of functions, so that tests can replace the
 * network. libcurl opens the connections.
 *
 * If a kept connection dies before the first byte of a response, the request is sent again over another one: whatever
 * is sent here may be executed twice. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct loop;
struct http;
struct http_transfer; /* one in flight; valid until its done callback has returned */

enum http_method { HTTP_POST, HTTP_GET, HTTP_PUT };

#define HTTP_HEADERS_MAX 16

/* URL, body and lines are borrowed until done or cancel; the array of lines is not. */
struct http_request {
    enum http_method method;
    const char *url; /* http or https; redirects are not followed */
    const char *path_end; /* appended to the URL's path, in visible ASCII; NULL: nothing. A URL is parsed once and kept,
                             so what differs from request to request belongs here */
    const char *const *headers; /* lines "Name: value"; at most HTTP_HEADERS_MAX. Content-Length, User-Agent and, where
                                   none is among them, Host are added */
    size_t header_count;
    struct span body; /* of a POST or PUT; may be empty */
    size_t max_response; /* ceiling of the response's body, in bytes */
    int64_t timeout; /* microseconds for the whole transfer, waiting for a free connection included */
    int64_t silence; /* microseconds without a connection, or without a byte in either direction, that end it sooner; 0:
                        no such limit */
    int64_t wait; /* microseconds that silence is longer before the response begins: for a long poll */
    int64_t connect_timeout; /* microseconds; 0: five seconds */
    bool direct; /* never through a proxy of the environment (link-local services) */
};

enum http_error {
    HTTP_FINE, /* there is a complete response, whatever its status */
    HTTP_UNREACHABLE, /* no address, or no connection */
    HTTP_UNTRUSTED, /* the server's certificate, or ours to check it with, is no good */
    HTTP_TIMED_OUT,
    HTTP_BROKEN, /* the connection died, or what came is no HTTP */
    HTTP_TOO_LARGE, /* the body is over its ceiling */
    HTTP_OVER_BUDGET, /* all bodies in flight together need more than the budget */
    HTTP_NO_MEMORY,
    HTTP_REFUSED /* the request can't be sent as it is (its URL, mostly) */
};

/* The response headers that are kept; all others are dropped. */
enum http_header {
    HTTP_DATE, /* Date */
    HTTP_ERROR_TYPE, /* x-amzn-errortype */
    HTTP_QUERY_ERROR, /* x-amzn-query-error */
    HTTP_CRC32, /* x-amz-crc32 */
    HTTP_RETRY_AFTER, /* Retry-After */
    HTTP_AMZ_RETRY_AFTER, /* x-amz-retry-after */
    HTTP_REQUEST_ID, /* x-amzn-requestid */
    HTTP_ENCODING, /* Content-Encoding */
    HTTP_SERVER, /* Server: who says that it answers */
    HTTP_LAMBDA_REQUEST_ID, /* Lambda-Runtime-Aws-Request-Id, of an invocation, as the next two are */
    HTTP_LAMBDA_DEADLINE, /* Lambda-Runtime-Deadline-Ms */
    HTTP_LAMBDA_TRACE_ID, /* Lambda-Runtime-Trace-Id */
    HTTP_KEPT_HEADERS
};

struct http_response {
    enum http_error error;
    int status; /* 0: no response */
    bool sent; /* a connection was open, and the request began to go over it */
    int64_t answered; /* monotonic: not later than the arrival of the response's first byte, which may be read later; 0:
                         none came */
    struct span body; /* also with an error; if the transfer failed, the part that came */
    struct buf *storage; /* the memory of body. Who has read a large body may free it, so that it isn't held longer;
                            NULL: it can't be freed */
    struct span header[HTTP_KEPT_HEADERS]; /* absent where it didn't come, or was unreasonably long */
    const char *message; /* on an error, what happened, for people; "" else */
};

/* The response and all that it points to are valid until this returns. The transfer is over. */
typedef void http_done(void *user, const struct http_response *response);

struct http_api {
    void *ctx;
    /* NULL: no memory, and nothing happens. Else done is called once, later, from the loop, unless it is cancelled. */
    struct http_transfer *(*start)(void *ctx, const struct http_request *request, http_done *done, void *user);
    /* Ends it without a callback. Allowed anywhere, also in callbacks; in the transfer's own callback it does
     * nothing. */
    void (*cancel)(void *ctx, struct http_transfer *transfer);
    /* Whether the first byte of the response of one in flight has come. NULL: it can't be told. */
    bool (*is_answered)(void *ctx, const struct http_transfer *transfer);
    /* Opens so many connections to where the URL leads, for requests that will come soon: no more than there may be,
     * few at once, and none before those that requests wait for, which count among them. Nobody hears of one that can't
     * be opened; no more follow it then. Those that nobody uses are closed as others are. NULL: it can't be done. */
    void (*open_ahead)(void *ctx, const char *url, size_t count);
};

struct http_options {
    size_t max_connections; /* 0: 1024; more transfers wait for a free one */
    size_t response_budget; /* bytes that all response bodies may take at once; 0: 256 MiB */
    const char *ca_file; /* PEM certificates to trust instead of the system's; NULL: the system's */
    const char *user_agent;
};

/* NULL: no memory, or libcurl doesn't start. The loop must outlive it; the options are copied. The process must ignore
 * SIGPIPE. */
MUST_USE struct http *http_new(struct loop *loop, const struct http_options *options);
/* Transfers in flight end without a callback. Not from inside a done callback. NULL is fine. */
void http_free(struct http *http);
struct http_api http_api(struct http *http);

/* Reads the certificates to trust, for all connections of the next hour. False: they can't be read, and ret_why (of
 * size bytes) says why; whoever connects by TLS tries again. */
MUST_USE bool http_trust_read(struct http *http, char *ret_why, size_t size);

/* Closes the connections that no transfer uses. For after a pause that the machine's clocks didn't count: the other
 * ends may be gone. */
void http_drop_idle(struct http *http);

/* For the metrics. */
struct http_stats {
    size_t transfers; /* in flight */
    size_t response_bytes; /* bytes that their bodies take now */
    uint64_t connections; /* opened since the start */
};
struct http_stats http_stats(const struct http *http);
