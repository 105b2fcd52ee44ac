/* The pool's connections: how they are opened, wait and are closed. http_pool.c decides when. */
#include "http_private.h"
#include "loop.h"

#include <stdlib.h>

/* While its host's name resolves, a connection isn't used when it is older than this: together with the address's
 * lifetime, a host that moves is found within 60 s. The jitter keeps connections that were opened together from being
 * replaced together. */
#define CONNECTION_LIFETIME (30 * MICROSECONDS)
#define CONNECTION_JITTER (15U * MICROSECONDS)

void http_connection_rest(struct http_connection *c, int64_t now) {
    c->state = HTTP_IDLE;
    c->idle_since = now;
    c->idle_in = loop_turns(c->pool->exchanges.loop);
    c->may_be_stale = true;
    TAILQ_INSERT_HEAD(&c->origin->idle, c, in_idle);
}

void http_connection_wake(struct http_connection *c) {
    struct http_origin *o = c->origin;
    if (o->watched == c) {
        o->watched = TAILQ_NEXT(c, in_idle);
    }
    TAILQ_REMOVE(&o->idle, c, in_idle);
    c->state = HTTP_BUSY;
}

struct http_connection *http_connection_newest(const struct http_origin *o) {
    return TAILQ_FIRST(&o->idle);
}

struct http_connection *http_connection_oldest(const struct http_origin *o) {
    return TAILQ_LAST(&o->idle, http_connections);
}

/* A turn's number changes before the loop waits: one that came to rest in the turn before may have done so after the
 * look, and what the look found is reported by the time that the next turn begins. */
struct http_connection *http_connection_watched(struct http_origin *o, uint64_t turn) {
    struct http_connection *next =
        o->watched ? TAILQ_PREV(o->watched, http_connections, in_idle) : http_connection_oldest(o);
    for (; next && turn - next->idle_in >= 2; next = TAILQ_PREV(next, http_connections, in_idle)) {
        o->watched = next;
    }
    return o->watched;
}

struct http_connection *http_connection_dial(struct http_pool *pool, struct http_origin *origin, int64_t timeout) {
    struct http_connection *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->pool = pool;
    c->origin = origin;
    c->line = connection_dial(pool->connector, &(struct connection_options){.origin = origin->key,
                                                                            .direct = origin->direct,
                                                                            .timeout = timeout,
                                                                            .dialed = pool->dialed,
                                                                            .ready = pool->ready,
                                                                            .user = c});
    if (!c->line) {
        free(c);
        return NULL;
    }
    c->dialed_at = clock_monotonic(&pool->clock);
    c->ages_at = c->dialed_at + CONNECTION_LIFETIME + (int64_t)random_below(&pool->random, CONNECTION_JITTER + 1);
    c->state = HTTP_DIALING;
    TAILQ_INSERT_HEAD(&pool->connections, c, in_all);
    pool->connection_count++;
    origin->dialing++;
    origin->ahead -= origin->ahead > 0;
    return c;
}

void http_connection_end(struct http_connection *c) {
    if (c->state == HTTP_IDLE) {
        http_connection_wake(c);
    }
    if (c->state == HTTP_DIALING) {
        c->origin->dialing--;
    }
    TAILQ_REMOVE(&c->pool->connections, c, in_all);
    c->pool->connection_count--;
    connection_close(c->line);
    free(c);
}
