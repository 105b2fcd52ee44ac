/* How the files of http share their structs. http.c is the port: transfers, and what they are told. http_pool.c decides
 * which request gets which connection, and what becomes of a connection; http_exchange.c has one request and its
 * response on one of them, and reports how that ended; http_connection.c makes and ends them, http_body.c keeps the
 * body, http_parser.c tells what is what in a response. Connections are connection.h's.
 *
 * Each knows what stands below it, and reports upward through the functions that it was given. */
#pragma once

#include "buf.h"
#include "clock.h"
#include "connection.h"
#include "http.h"
#include "http_hosts.h"
#include "http_origins.h"
#include "http_parser.h"
#include "random.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define HTTP_SEND_PIECE ((size_t)16 * 1024) /* as a TLS record */
/* Room for a whole TLS record, so that none is left behind in OpenSSL. */
#define HTTP_RECEIVE_PIECE ((size_t)32 * 1024)
#define HTTP_WHY_SIZE 256

enum http_place { AT_NOBODY, AT_QUEUE, AT_CONNECTION, AT_END /* it failed, and is told so from the loop */ };

/* Of all bodies together. */
struct http_budget {
    size_t max, bytes; /* that they may take, and take now */
};

struct http_transfer {
    struct http *http;
    struct http_budget *budget;
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
    char message[HTTP_WHY_SIZE];
};

enum http_connection_state { HTTP_DIALING, HTTP_IDLE, HTTP_BUSY };

/* A connection as the pool has it. */
struct http_connection {
    struct connection *line;
    struct http_pool *pool;
    struct http_origin *origin;
    TAILQ_ENTRY(http_connection) in_all;
    TAILQ_ENTRY(http_connection) in_idle; /* among its origin's */
    enum http_connection_state state;
    struct http_transfer *transfer; /* NULL: none */
    int64_t ages_at, idle_since; /* monotonic */
    bool was_used; /* a response came over it */
    bool is_look; /* it was opened to see where the name leads */
};

/* How an exchange ended. */
enum exchange_end {
    EXCHANGE_REUSABLE, /* the response is complete, and the connection good for another */
    EXCHANGE_SPENT, /* it is complete, and the connection of no more use */
    EXCHANGE_STALE, /* the connection broke before the first byte of the response */
    EXCHANGE_FAILED
};

/* What all exchanges share. */
struct http_exchanges {
    struct loop *loop;
    const char *user_agent; /* NULL: none */
    /* The transfer is on no connection any more, and there is none on this one. error and why: of the last two ends. */
    void (*ended)(struct http_connection *c, struct http_transfer *t, enum exchange_end end, enum http_error error,
                  const char *why);
    char outgoing[HTTP_SEND_PIECE], incoming[HTTP_RECEIVE_PIECE]; /* between two calls they hold nothing */
};

struct http_pool {
    struct clock clock;
    struct connector *connector;
    size_t max_connections;
    struct random random;
    /* The transfer is at nobody any more. HTTP_FINE: its response is complete, and this is called from the loop; else
     * from anywhere. */
    void (*over)(struct http_transfer *t, enum http_error error, const char *why);
    /* connection_options' of all its connections; user is the struct http_connection. */
    void (*dialed)(void *user, enum http_error error, const char *why);
    void (*ready)(void *user, unsigned events);
    bool is_closing; /* no connection is opened for those that wait */
    struct http_hosts hosts;
    struct http_origins origins;
    struct http_connections connections;
    size_t connection_count;
    uint64_t opened; /* since the start */
    struct http_exchanges exchanges;
};

struct http {
    struct loop *loop;
    struct clock clock;
    struct timers *timers;
    char *user_agent;
    struct http_pool pool;
    struct http_budget budget;
    struct http_transfers in_flight;
    size_t in_flight_count;
    struct http_transfers idle; /* for reuse */
    size_t idle_count;
    struct http_transfers ended; /* AT_END */
    size_t ended_count;
    struct timer end_timer;
};

/* http_deadline.c */
/* Its time begins. */
void http_deadline_begin(struct http_transfer *t);
/* Its timer fired: why it is late, or NULL where it isn't yet, and the timer runs again. */
const char *http_deadline_look(struct http_transfer *t);
/* Bytes went either way, and it isn't over. */
void http_deadline_moved(struct http_transfer *t);

/* http_pool.c */
/* The loop, the URLs' texts and what is said by over outlive it. False: no memory; http_pool_free() is needed in any
 * case. */
MUST_USE bool http_pool_init(struct http_pool *pool, struct loop *loop, const struct http_options *options,
                             void (*over)(struct http_transfer *t, enum http_error error, const char *why));
/* No transfer may be there. */
void http_pool_free(struct http_pool *pool);
/* Gives the transfer a connection, now or when there is one. */
void http_pool_assign(struct http_transfer *t);
/* Takes the transfer back, which waits, or is on a connection. */
void http_pool_forget(struct http_transfer *t);

/* http_connection.c */
/* Begins to open a connection to the origin, and counts it there. timeout in microseconds. NULL: no memory. */
struct http_connection *http_connection_dial(struct http_pool *pool, struct http_origin *origin, int64_t timeout);
/* Closes and frees one that no transfer is on, whatever its state. */
void http_connection_end(struct http_connection *c);
/* To its origin's idle ones, and away from them. */
void http_connection_rest(struct http_connection *c, int64_t now);
void http_connection_wake(struct http_connection *c);
/* Of the idle ones; NULL: there is none. */
struct http_connection *http_connection_newest(const struct http_origin *o);
struct http_connection *http_connection_oldest(const struct http_origin *o);

/* http_exchange.c */
/* Sends the transfer's request over an idle connection, and waits for the response. */
void http_exchange_begin(struct http_connection *c, struct http_transfer *t);
/* Takes the transfer off its connection, which is good for nothing any more. */
void http_exchange_abandon(struct http_transfer *t);
/* A connection with a transfer on it may have something to read, or room: enum connection_events. */
void http_exchange_go_on(struct http_connection *c, unsigned events);

/* http_body.c */
/* The body is empty, and may have so many bytes. */
void http_body_begin(struct http_transfer *t, size_t max);
/* Appends a piece. False: it may not be so long, or there is no memory; t->error says which. */
MUST_USE bool http_body_take(struct http_transfer *t, struct span piece);
/* Takes its memory out of the budget again. */
void http_body_uncount(struct http_transfer *t);
