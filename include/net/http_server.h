/* A small HTTP server on the loop, by GNU libmicrohttpd, for the few who look: it answers GET and HEAD, one request per
 * connection, from memory.
 *
 * It has room for a bounded number of clients. Until the head of its request is there, a client waits, and costs
 * next to nothing. After that it is served; fewer clients are served at once than may wait. A client that takes too
 * long is cut off. If there is no room, the one that has been there longest gives way to the next, so many slow
 * clients don't keep others out. Rates per second bound how many are let in and served, so clients don't keep the
 * loop from its work. */
#pragma once

#include "compiler.h"
#include "limiter.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_server;

struct http_server_request {
    const char *path; /* without a query; decoded */
    const char *host; /* the header; "" where there is none */
    const char *accept; /* the header; "" where there is none */
};

#define HTTP_SERVER_HEADERS 4
struct http_server_reply { /* zeroed, except status 200 and content_type text/plain */
    unsigned status;
    const char *content_type;
    struct span body; /* copied, unless is_constant: then it must stand for ever */
    bool is_constant;
    struct {
        const char *name, *value;
    } headers[HTTP_SERVER_HEADERS]; /* further headers; an entry without a name ends them */
};

/* Answers a GET or HEAD (for HEAD the body isn't sent). What reply points to must stand until the next call. */
typedef void http_server_answer(void *user, const struct http_server_request *request, struct http_server_reply *reply);

struct http_server_options {
    size_t clients; /* that wait at once, a descriptor each; 0: 1024 */
    uint32_t clients_per_second; /* that are let in; 0: 1000 */
    size_t served; /* at once; 0: 64. For a moment there may be as many beside them that are being cut off */
    uint32_t served_per_second; /* 0: 120 */
    int64_t request_time; /* microseconds from the connection to the reply's end; 0: 5 seconds */
};

/* Listens at "ADDRESS:PORT", an IPv6 address in brackets. Returns the descriptor, or -errno. */
MUST_USE int http_server_listen(const char *address);
/* Serves the clients of a listening descriptor, which the server owns from now on. NULL: no memory, and it is
 * closed. */
MUST_USE struct http_server *http_server_new(struct loop *loop, int listener, const struct http_server_options *options,
                                             http_server_answer *answer, void *user);
/* Ends all connections. Not from inside an answer. NULL is fine. */
void http_server_free(struct http_server *server);

/* For the metrics. */
struct http_server_stats {
    size_t clients; /* now; those who wait included */
    uint64_t accepted, answered, cut; /* cut: too slow, or in the way of others */
};
struct http_server_stats http_server_stats(const struct http_server *server);
