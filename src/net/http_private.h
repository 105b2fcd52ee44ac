/* How the files of http share their structs. libcurl opens connections: names, addresses, proxies, TLS, certificates
 * (http_dial.c, and http_multi.c, its bridge to the loop). What goes over one is ours: http_exchange.c has one request
 * and its response on one connection, http_parser.c what is what in a response, http_pool.c which request gets which
 * connection. http.c is the port. */
#pragma once

#include "buf.h"
#include "clock.h"
#include "http.h"
#include "http_parser.h"
#include "http_hosts.h"
#include "http_origins.h"
#include "random.h"
#include "timers.h"

#include <curl/curl.h>
#include <ev.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_SEND_PIECE ((size_t)16 * 1024) /* as a TLS record */
/* Room for a whole TLS record, so that none is left behind in OpenSSL. */
#define HTTP_RECEIVE_PIECE ((size_t)32 * 1024)

enum http_place { AT_NOBODY, AT_QUEUE, AT_CONNECTION, AT_END /* it failed, and is told so from the loop */ };

struct http_transfer {
    struct http *http;
    TAILQ_ENTRY(http_transfer) in_list; /* among those in flight, or those for reuse */
    TAILQ_ENTRY(http_transfer) in_place; /* AT_QUEUE, AT_END */

    /* Fixed while it is in flight. */
    http_done *done;
    void *user;
    struct http_request request; /* its array of headers is the next one */
    const char *headers[HTTP_HEADERS_MAX];
    struct http_url *target; /* NULL: its URL is none */

    /* Changes. */
    bool in_flight; /* false in and after its callback */
    enum http_place place;
    struct http_connection *connection;
    int64_t waits_since; /* AT_QUEUE: monotonic */
    int64_t began, moved_at; /* monotonic: when the last byte went either way, or it was given its connection */
    size_t in_kernel; /* of the request, sent and not acknowledged, when that was last looked at */
    struct timer deadline; /* it isn't late before */
    unsigned attempts;
    struct buf unsent; /* of the head, and what went along of the body; empty where all went at once */
    size_t unsent_at, body_at;
    bool sent; /* it has had a connection */
    int64_t answered;
    struct http_parser answer;
    struct buf body;
    size_t counted; /* what of the budget the body has */
    enum http_error error;
    char message[CURL_ERROR_SIZE];
};

enum http_connection_state { CONNECTION_DIALING, CONNECTION_IDLE, CONNECTION_BUSY };

struct dial_group;

struct http_connection {
    ev_io io; /* first; from the end of the dialing on, for as long as it lives */
    struct http *http;
    struct http_origin *origin;
    TAILQ_ENTRY(http_connection) in_all;
    TAILQ_ENTRY(http_connection) in_idle; /* among its origin's */
    enum http_connection_state state;
    struct http_transfer *transfer; /* NULL: none */
    int64_t ages_at, idle_since; /* monotonic */
    bool was_used; /* a response came over it */
    bool is_look; /* it was opened to see where the name leads */
    struct dial_group *group;
    CURL *easy;
    SSL *tls; /* libcurl's, once it is open; NULL: plain */
    char message[CURL_ERROR_SIZE];
};

struct watch_chunk;
struct socket_watch;
TAILQ_HEAD(socket_watches, socket_watch);

struct http {
    struct loop *loop;
    struct clock clock;
    struct timers *timers;
    CURLSH *share; /* TLS sessions, so that a new connection resumes one, and addresses */
    char *ca_file;
    char *user_agent;
    size_t max_connections;
    size_t response_budget;
    bool is_closing; /* no connection is opened for those that wait */
    bool has_proxy; /* the environment names one, or may for some service */
    struct random random;

    struct http_hosts hosts;
    struct http_origins targets;
    struct http_connections connections;
    size_t connection_count;
    struct dial_group *groups;
    struct socket_watches free_watches, used_watches;
    struct watch_chunk *chunks;
    size_t watch_count;

    struct http_transfers in_flight;
    struct http_transfers idle; /* for reuse */
    size_t idle_count;
    struct http_transfers ended; /* AT_END */
    size_t ended_count;
    struct timer end_timer;
    struct http_stats stats;
    char outgoing[HTTP_SEND_PIECE], incoming[HTTP_RECEIVE_PIECE]; /* between two calls they hold nothing */
};

/* http.c: the variables of the environment that libcurl takes a proxy from. */
#define HTTP_PROXY_VARIABLE_COUNT 5
extern const char *const HTTP_PROXY_VARIABLES[HTTP_PROXY_VARIABLE_COUNT];

/* http.c: the transfer is over, and nowhere. From the loop only: its callback is called. */
void http_finish(struct http_transfer *transfer, enum http_error error, const char *why);
/* The same, from anywhere: soon. */
void http_end(struct http_transfer *transfer, enum http_error error, const char *why);

/* The transfer had no more time. From the loop only. */
void http_late(struct http_transfer *transfer, const char *why);

/* http_deadline.c */
void http_deadline_init(struct http_transfer *transfer);
/* Its time begins. */
void http_deadline_begin(struct http_transfer *transfer);
/* Bytes went either way, and it isn't over. */
void http_deadline_moved(struct http_transfer *transfer);

/* http_pool.c */
/* Gives the transfer a connection, now or when there is one. */
void http_pool_assign(struct http_transfer *transfer);
/* The transfer, which waits, waits no more. */
void http_pool_forget(struct http_transfer *transfer);
/* The exchange on a connection is over; it is good for another. */
void http_pool_release(struct http_connection *c);
/* Closes a connection that no transfer is on, whatever its state, and sees to those that wait. */
void http_pool_close(struct http_connection *c);
/* The dialing of a connection came to its end. From the loop only. */
void http_pool_dialed(struct http_connection *c, CURLcode code);
void http_pool_free(struct http *http);

/* http_exchange.c */
/* Sends the transfer's request over an idle connection, and waits for the response. */
void http_exchange_begin(struct http_connection *c, struct http_transfer *transfer);
/* Takes the transfer off its connection, which is good for nothing any more. */
void http_exchange_abandon(struct http_transfer *transfer);
/* How much of what was sent on the transfer's connection the peer hasn't acknowledged. */
size_t http_exchange_in_kernel(const struct http_transfer *transfer);
/* A connection is there: watches it, as an idle one. False: it is none, and why is in its message. */
bool http_exchange_open(struct http_connection *c);
/* Whether an idle connection is as quiet as it should be. The loop tells of what is not, but maybe only after the next
 * request was sent over it. */
bool http_exchange_is_quiet(struct http_connection *c);
/* No more watching. */
void http_exchange_close(struct http_connection *c);
/* Takes the body's memory out of the budget again. */
void http_exchange_uncount(struct http_transfer *transfer);

/* http_dial.c */
/* Begins to open a connection to the origin, and counts it there. timeout in microseconds. NULL: no memory. */
struct http_connection *http_dial(struct http *http, struct http_origin *origin, int64_t timeout);
/* Whether no proxy stands between. */
bool http_is_direct(const struct http_connection *c);
/* Closes its socket, and frees it. */
void http_dial_hang_up(struct http_connection *c);
/* What libcurl's verdict on a connection means. */
enum http_error http_dial_error(CURLcode code);
/* And in words, in which no password of a proxy stands. */
const char *http_dial_words(const struct http_connection *c, CURLcode code);

/* http_multi.c */
bool http_multi_open(struct http *http);
void http_multi_close(struct http *http);
/* Adds a connection's handle to a multi handle that has room, and makes one where none has. */
bool http_multi_add(struct http_connection *c);
void http_multi_remove(struct http_connection *c);
