/* How the files of http share their structs: http.c is the port and the pool, http_easy.c one request on one libcurl handle,
 * http_multi.c the bridge between libcurl's multi interface and the loop. */
#pragma once

#include "buf.h"
#include "clock.h"
#include "http.h"
#include "http_connections.h"
#include "http_headers.h"
#include "http_hosts.h"
#include "http_urls.h"
#include "random.h"
#include "timers.h"

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOCKETS_PER_TRANSFER 5 /* libcurl's MAX_SOCKSPEREASYHANDLE */

/* A socket that libcurl has us watch, and that is no connection of ours (its name resolver's). Made before libcurl asks, because in its callback a failure would break the whole multi handle. */
struct socket_watch {
    ev_io io;
    struct http *http;
    struct socket_watch *next;     /* among the free ones */
    struct socket_watch *previous; /* and among those in use */
};

struct http_transfer {
    struct http *http;
    CURL *easy; /* its options that never change are set once */
    struct http_transfer *next, *previous;

    /* Fixed while it is in flight. */
    http_done *done;
    void *user;
    size_t max_response;
    struct http_host *host; /* NULL: none that is known */
    enum http_method method; /* that the handle is set to */
    bool direct, long_answer; /* likewise */
    CURLU *url;              /* likewise; NULL: none of http->urls */
    struct curl_slist lines[HTTP_HEADERS_MAX + 3]; /* the caller's and ours; libcurl only reads them */

    /* Changes. */
    bool in_flight;            /* false in and after its callback */
    enum http_error error;     /* why we ended it; HTTP_FINE: we did not */
    int64_t answered;
    struct buf body;
    size_t counted;            /* what of the budget the body has */
    struct http_headers headers;
    char message[CURL_ERROR_SIZE];
};

struct watch_chunk;

struct http {
    struct loop *loop;
    struct clock clock;
    struct timers *timers;
    CURLM *multi;
    CURLSH *share; /* TLS sessions, so that a new connection resumes one */
    char *ca_file;
    char *user_agent;
    size_t max_connections;
    size_t response_budget;
    bool has_proxy; /* the environment names one, or may for some service */
    struct random random;
    struct http_urls urls;

    struct timer timer; /* the one that libcurl asks for */
    struct http_transfer *in_flight;
    struct http_transfer *idle; /* for reuse */
    size_t idle_count;
    struct http_connections connections;
    struct socket_watch *free_watches, *used_watches;
    struct watch_chunk *chunks;
    size_t watch_count;
    struct http_hosts hosts;
    struct http_stats stats;
};

/* http_multi.c */
bool http_multi_open(struct http *http);
void http_multi_close(struct http *http);
/* Makes sure that libcurl's sockets for so many transfers can be watched. */
bool http_multi_reserve(struct http *http, size_t transfers);

/* http_easy.c */
CURL *http_easy_new(struct http_transfer *transfer);
/* Sets what is different in each request, and forgets the last response. */
bool http_easy_prepare(struct http_transfer *transfer, const struct http_request *request);
/* Whether there was a connection at all, however the request ended. */
bool http_easy_was_connected(const struct http_transfer *transfer);
/* What libcurl's verdict means. */
enum http_error http_easy_error(const struct http_transfer *transfer, CURLcode code);
/* Takes the body's memory out of the budget again. */
void http_easy_uncount(struct http_transfer *transfer);

/* http.c: the transfer is over. It is no more in the multi handle. */
void http_finish(struct http_transfer *transfer, CURLcode code);
