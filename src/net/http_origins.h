/* Where requests go: URLs, each parsed once, and the origins that they lead to. A client asks the same few all the
 * time. */
#pragma once

#include "compiler.h"
#include "http_dials.h"
#include "http_hosts.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#define HTTP_URLS_KEPT 8 /* both services and the sources of credentials; others are parsed each time */

struct http_connection;
struct http_transfer;
TAILQ_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_transfers, http_transfer);

/* Scheme, host and port that connections lead to. The pool (http_pool.c) keeps the lists. */
struct http_origin {
    struct http_origin *next;
    bool direct;
    struct http_host *host; /* NULL: there was no room for it */
    struct http_connections idle; /* the newest first */
    struct http_connection *watched; /* http_connection_watched()'s last; those behind it are older */
    struct http_transfers queue;
    size_t waiting, dialing; /* in the queue; connections */
    size_t ahead; /* connections that are still to be opened for requests that will come */
    struct http_dials dials;
    char key[]; /* struct url's origin */
};

struct http_url {
    char *url;
    struct http_origin *origin;
    char *head; /* of a request, after its method: " /path HTTP/1.1\r\n", then "Host: …\r\n" */
    size_t head_len, host_at, path_end; /* of both lines; where the second one begins; where the path ends */
    size_t uses; /* requests that are under way */
    bool is_kept;
};

struct http_origins { /* zeroed but for the first: none */
    struct http_hosts *hosts;
    struct http_origin *origins;
    struct http_url *kept[HTTP_URLS_KEPT];
    size_t next; /* the place that is looked at next when one is needed */
};

/* The target of a URL, for one request. NULL: *ret_why says why, or is NULL if there is no memory. A URL with a user or
 * a password has no target. */
MUST_USE struct http_url *http_origins_take(struct http_origins *all, const char *url, bool direct,
                                            const char **ret_why);
/* The request is over. NULL is fine. */
void http_origins_return(struct http_url *target);
/* All requests must be over, and the origins' lists empty. */
void http_origins_free(struct http_origins *all);
