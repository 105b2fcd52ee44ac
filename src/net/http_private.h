/* How the files of http share their structs. http.c implements the api of http.h: transfers, and what their owners are
 * told. http_pool.c decides which request gets which connection, and what becomes of a connection. http_exchange.c
 * handles one request and its response on one connection, and reports how that ended. http_connection.c opens and
 * closes connections, http_answer.c and http_body.c keep the answer, http_deadline.c watches the time, http_parser.c
 * reads responses.
 * Below them is connection.h.
 *
 * Each file knows those below it, and reports upward through the functions that it was given. */
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

#define HTTP_SEND_PIECE ((size_t)16 * 1024) /* the size of a TLS record */
/* Room for a whole TLS record, so that none is left behind in OpenSSL. */
#define HTTP_RECEIVE_PIECE ((size_t)32 * 1024)
#define HTTP_WHY_SIZE 256
#define HTTP_SMALL_BODY 512

enum http_place { AT_NOBODY, AT_QUEUE, AT_CONNECTION, AT_END /* it failed; the loop will report it */ };

/* Of all bodies together. */
struct http_budget {
    size_t max, bytes; /* what they may take together, and what they take now */
};

/* What a transfer holds once its answer begins, or its failure is to be reported: most of those in flight wait for
 * that, with none. */
struct http_answer {
    struct http_answer *next; /* among those for reuse */
    struct http_parser parser;
    char small_body[HTTP_SMALL_BODY]; /* lent to the body: a transaction's is no larger, nor is a batch's */
    char why[HTTP_WHY_SIZE]; /* AT_END */
};

struct http_answers {
    struct http_answer *idle;
    size_t idle_count;
};

struct http_transfer {
    struct http *http;
    struct http_budget *budget;
    struct http_answers *answers;
    TAILQ_ENTRY(http_transfer) in_list; /* among those in flight, or those for reuse */
    TAILQ_ENTRY(http_transfer) in_place; /* AT_QUEUE, AT_END */

    /* Fixed while it is in flight. */
    http_done *done;
    void *user;
    struct http_request request; /* its array of headers is the next member */
    const char *headers[HTTP_HEADERS_MAX];
    struct http_url *target; /* NULL: the URL isn't valid */

    /* Changes. */
    bool in_flight; /* false in and after its callback */
    enum http_place place;
    struct http_connection *connection;
    int64_t waits_since; /* AT_QUEUE: monotonic */
    int64_t began, moved_at; /* monotonic; moved_at: when a byte last went either way, or it was given its connection */
    size_t in_kernel; /* bytes of the request that were sent and not acknowledged at the last look */
    struct timer deadline; /* fires no later than the transfer is late */
    unsigned attempts;
    struct buf unsent; /* the unsent rest of the head and of the body's part beside it; empty if all went at once */
    size_t unsent_at, body_at;
    bool sent; /* it has had a connection */
    int64_t answered;
    struct http_answer *answer; /* NULL: nothing of it has come */
    struct buf body;
    size_t counted; /* how much of the budget the body takes */
    enum http_error error;
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
    int64_t dialed_at, ages_at, idle_since; /* monotonic */
    uint64_t idle_in; /* the turn of the loop */
    bool may_be_stale; /* it was used or idle before: the other side may have closed it meanwhile */
    bool is_unasked; /* no request asked for it: it was opened ahead, or to see where the name leads */
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
    /* The transfer and the connection are separated by now. error and why: for the last two ends. */
    void (*ended)(struct http_connection *c, struct http_transfer *t, enum exchange_end end, enum http_error error,
                  const char *why);
    char outgoing[HTTP_SEND_PIECE], incoming[HTTP_RECEIVE_PIECE]; /* only used within one call */
};

struct http_pool {
    struct clock clock;
    struct connector *connector;
    size_t max_connections;
    struct random random;
    /* The transfer is over, and the pool doesn't hold it any more. HTTP_FINE: its response is complete, and this comes
     * from the loop; otherwise it may come from anywhere. */
    void (*over)(struct http_transfer *t, enum http_error error, const char *why);
    /* These go into the connection_options of all connections; user is the struct http_connection. */
    void (*dialed)(void *user, enum http_error error, const char *why);
    void (*ready)(void *user, unsigned events);
    bool is_closing; /* no more connections are opened */
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
    struct http_answers answers;
    struct http_transfers in_flight;
    size_t in_flight_count;
    struct http_transfers idle; /* for reuse */
    size_t idle_count;
    struct http_transfers ended; /* AT_END */
    size_t ended_count;
    struct timer end_timer;
};

/* http_deadline.c */
/* Starts the transfer's clock. */
void http_deadline_begin(struct http_transfer *t);
/* The timer fired. Returns why the transfer is late, or NULL if it isn't yet: then the timer runs again. */
const char *http_deadline_look(struct http_transfer *t);
/* Bytes went either way, and the transfer isn't over. */
void http_deadline_moved(struct http_transfer *t);
/* Whether its time is over, so that it isn't sent any more, though what has come may still be read. */
bool http_deadline_has_passed(const struct http_transfer *t, int64_t now);

/* http_pool.c */
/* The loop and the user agent's text must outlive the pool. False: no memory; http_pool_free() is needed in any
 * case. */
MUST_USE bool http_pool_init(struct http_pool *pool, struct loop *loop, const struct http_options *options,
                             void (*over)(struct http_transfer *t, enum http_error error, const char *why));
/* No transfer may be in the pool. */
void http_pool_free(struct http_pool *pool);
/* Gives the transfer a connection, at once or when there is one. now: monotonic. */
void http_pool_assign(struct http_transfer *t, int64_t now);
/* Opens so many connections for requests that will come, those included that requests make it open meanwhile. */
void http_pool_open_ahead(struct http_pool *pool, struct http_origin *origin, size_t count);
/* Takes back a transfer that waits, or is on a connection. */
void http_pool_forget(struct http_transfer *t);

/* http_connection.c */
/* Starts to open a connection to the origin, and counts it there. timeout in microseconds. NULL: no memory. */
struct http_connection *http_connection_dial(struct http_pool *pool, struct http_origin *origin, int64_t timeout);
/* Closes and frees a connection that no transfer uses, whatever its state. */
void http_connection_end(struct http_connection *c);
/* Puts it among its origin's idle connections, or takes it out of them. */
void http_connection_rest(struct http_connection *c, int64_t now);
void http_connection_wake(struct http_connection *c);
/* Of the origin's idle connections; NULL: there is none. */
struct http_connection *http_connection_newest(const struct http_origin *o);
struct http_connection *http_connection_oldest(const struct http_origin *o);
/* The newest that was idle already when the loop, now in this turn, looked at all sockets: what stood in its own then
 * was reported. */
struct http_connection *http_connection_watched(struct http_origin *o, uint64_t turn);

/* http_exchange.c */
/* Sends the transfer's request over a free connection, and waits for the response. */
void http_exchange_begin(struct http_connection *c, struct http_transfer *t);
/* Takes the transfer off its connection, which must not be used again. */
void http_exchange_abandon(struct http_transfer *t);
/* A connection with a transfer on it may have something to read, or room: enum connection_events. */
void http_exchange_go_on(struct http_connection *c, unsigned events);

/* http_answer.c */
/* Gives the transfer, whose body is empty, what it needs for its answer, unless it has that. False: no memory. */
MUST_USE bool http_answer_take(struct http_transfer *t);
/* Takes it back, with the body's storage, if the transfer has it. */
void http_answer_return(struct http_transfer *t);
void http_answers_free(struct http_answers *answers);

/* http_body.c */
/* Starts an empty body that may have max bytes. */
void http_body_begin(struct http_transfer *t, size_t max);
/* Appends a piece. False: the body would be too long, or there is no memory; t->error says which. */
MUST_USE bool http_body_take(struct http_transfer *t, struct span piece);
/* Gives its share of the budget back. */
void http_body_uncount(struct http_transfer *t);
