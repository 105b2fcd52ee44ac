/* Which request gets which connection. Each origin has its idle connections, of which the newest is used next, and a
 * queue of requests. Whichever connection is free first, used or just opened, takes the first request of the queue.
 * Connections and exchanges report how they ended. Only this file decides what becomes of a connection, and whether a
 * request is sent again over another one. */
#include "http_private.h"
#include "loop.h"

#define DEFAULT_CONNECTIONS 1024
#define CONNECT_TIMEOUT (5 * MICROSECONDS)
#define IDLE_LIFETIME (25 * MICROSECONDS) /* less than the 30 s after which some servers close */
#define GIVES_WAY_AFTER MICROSECONDS /* not sooner: each such change costs a handshake */
#define LOOK_HOLDS MILLISECOND /* no longer: what comes after the loop's look is only found by another */
#define ATTEMPTS_MAX 5 /* of one request, if its connections die before a byte came */

static void queue_push(struct http_transfer *t, int64_t now) {
    struct http_origin *o = t->target->origin;
    t->waits_since = now;
    t->place = AT_QUEUE;
    TAILQ_INSERT_TAIL(&o->queue, t, in_place);
    o->waiting++;
}

static void queue_remove(struct http_transfer *t) {
    struct http_origin *o = t->target->origin;
    TAILQ_REMOVE(&o->queue, t, in_place);
    o->waiting--;
    t->place = AT_NOBODY;
}

/* Whether there is room for one more connection. May close the one that was idle longest to make room. */
static bool find_room(struct http_pool *pool) {
    if (pool->connection_count < pool->max_connections) {
        return true;
    }
    struct http_connection *oldest = NULL;
    for (const struct http_origin *o = pool->origins.origins; o; o = o->next) {
        if (http_connection_oldest(o) && (!oldest || http_connection_oldest(o)->idle_since < oldest->idle_since)) {
            oldest = http_connection_oldest(o);
        }
    }
    if (oldest) {
        http_connection_end(oldest);
    }
    return oldest != NULL;
}

/* The request that has waited longest and for which no connection is being opened yet; NULL: none. */
static struct http_transfer *neediest(const struct http_pool *pool) {
    struct http_transfer *found = NULL;
    for (const struct http_origin *o = pool->origins.origins; o; o = o->next) {
        struct http_transfer *first = TAILQ_FIRST(&o->queue);
        if (first && o->dialing < o->waiting && o->dialing < o->dials.most &&
            (!found || first->waits_since < found->waits_since)) {
            found = first;
        }
    }
    return found;
}

/* Opens connections that no request asked for, where no request waits for one. No other is closed for them. Without
 * memory they aren't opened. */
static void dial_ahead(struct http_pool *pool) {
    for (struct http_origin *o = pool->origins.origins; o && !pool->is_closing; o = o->next) {
        while (o->ahead > 0 && o->dialing < o->dials.most && pool->connection_count < pool->max_connections) {
            struct http_connection *c = http_connection_dial(pool, o, CONNECT_TIMEOUT);
            if (!c) {
                o->ahead = 0;
                break;
            }
            c->is_unasked = true;
        }
    }
}

/* Opens connections for the requests that wait, within the limits. */
static void dial_as_needed(struct http_pool *pool) {
    for (struct http_transfer *first; !pool->is_closing && (first = neediest(pool)) && find_room(pool);) {
        int64_t timeout = first->request.connect_timeout ? first->request.connect_timeout : CONNECT_TIMEOUT;
        if (!http_connection_dial(pool, first->target->origin, timeout)) {
            queue_remove(first);
            pool->over(first, HTTP_NO_MEMORY, "");
        }
    }
    dial_ahead(pool);
}

/* Closes a connection that no transfer uses, and opens others for those that wait. */
static void close_and_dial(struct http_connection *c) {
    struct http_pool *pool = c->pool;
    http_connection_end(c);
    dial_as_needed(pool);
}

/* Opens a connection to see where the name leads now. Without memory, the next request does. It may be one connection
 * beyond the limit: no living one is given up for it, and this is also needed when all are busy. */
static void look(struct http_pool *pool, struct http_origin *o) {
    struct http_connection *c = o->dialing == 0 ? http_connection_dial(pool, o, CONNECT_TIMEOUT) : NULL;
    if (c) {
        c->is_unasked = true;
    }
}

/* Closes connections that nobody has used for long and, if new ones can be had (ages), those that are too old. */
static void prune(struct http_origin *o, bool ages, int64_t now) {
    for (struct http_connection *c;
         (c = http_connection_oldest(o)) && (now - c->idle_since > IDLE_LIFETIME || (ages && now > c->ages_at));) {
        http_connection_end(c);
    }
}

/* An idle connection with nothing to read and, if new ones can be had (ages), not too old. NULL: there is none. Where
 * the loop looked at the sockets a moment ago, those that were idle already need no look of their own, which would be a
 * call of the system for each request. */
static struct http_connection *find_idle(struct http_pool *pool, struct http_origin *o, bool ages, int64_t now) {
    const struct loop *loop = pool->exchanges.loop;
    bool looked = now - loop_ready_since(loop) < LOOK_HOLDS;
    for (struct http_connection *watched, *c;; http_connection_end(c)) {
        watched = looked ? http_connection_watched(o, loop_turns(loop)) : NULL;
        c = watched ? watched : http_connection_newest(o);
        if (!c || (!(ages && now > c->ages_at) && (watched || connection_is_quiet(c->line)))) {
            return c;
        }
    }
}

void http_pool_assign(struct http_transfer *t, int64_t now) {
    struct http_pool *pool = &t->http->pool;
    struct http_origin *o = t->target->origin;
    struct http_reuse reuse = http_host_reuse(o->host, now);
    prune(o, reuse.ages, now);
    struct http_connection *c = find_idle(pool, o, reuse.ages, now);
    if (c) {
        http_connection_wake(c);
        http_exchange_begin(c, t);
    } else {
        queue_push(t, now);
        dial_as_needed(pool);
    }
    if (reuse.fresh) {
        look(pool, o);
    }
}

void http_pool_open_ahead(struct http_pool *pool, struct http_origin *o, size_t count) {
    o->ahead = count;
    dial_as_needed(pool);
}

void http_pool_forget(struct http_transfer *t) {
    struct http_connection *c = t->connection;
    if (c) {
        http_exchange_abandon(t);
        close_and_dial(c);
    } else {
        queue_remove(t);
    }
}

/* Whether this connection, which first could have, is to be closed because a request of another origin has waited for
 * longer. */
static bool gives_way(const struct http_pool *pool, const struct http_transfer *first) {
    const struct http_transfer *other = pool->connection_count < pool->max_connections ? NULL : neediest(pool);
    return other && other->target->origin != first->target->origin &&
           first->waits_since - other->waits_since > GIVES_WAY_AFTER;
}

/* A connection is good for another exchange. */
static void release(struct http_connection *c) {
    struct http_pool *pool = c->pool;
    struct http_origin *o = c->origin;
    struct http_transfer *t = TAILQ_FIRST(&o->queue);
    int64_t now = clock_monotonic(&pool->clock);
    bool is_too_old = now > c->ages_at && http_host_ages(o->host, now);
    if (is_too_old || (t && (gives_way(pool, t) || !connection_is_quiet(c->line)))) {
        close_and_dial(c);
        return;
    }
    if (t) {
        queue_remove(t);
        t->moved_at = now;
        http_exchange_begin(c, t);
        return;
    }
    http_connection_rest(c, now);
    if (pool->connection_count >= pool->max_connections) {
        dial_as_needed(pool); /* another origin may wait for a free place */
    }
}

/* An exchange is over. If its connection had died before the request went out, the request goes over another one, as
 * long as it has time left. */
static void on_ended(struct http_connection *c, struct http_transfer *t, enum exchange_end end, enum http_error error,
                     const char *why) {
    struct http_pool *pool = c->pool;
    if (end == EXCHANGE_STALE && c->may_be_stale && ++t->attempts < ATTEMPTS_MAX) {
        int64_t now = clock_monotonic(&pool->clock);
        if (!http_deadline_has_passed(t, now)) {
            close_and_dial(c);
            http_pool_assign(t, now);
            return;
        }
    }
    switch (end) {
    case EXCHANGE_REUSABLE:
        c->may_be_stale = true;
        release(c);
        break;
    case EXCHANGE_SPENT: close_and_dial(c); break;
    case EXCHANGE_STALE:
    case EXCHANGE_FAILED:
        pool->over(t, error, why);
        close_and_dial(c);
        return;
    }
    pool->over(t, HTTP_FINE, "");
}

/* The connection can't be opened: the first request that waits for one fails, unless other attempts still cover all
 * that wait. Nobody waits for one that no request asked for: its failure is silent, and no more are opened ahead. */
static void fail_first(struct http_connection *c, enum http_error error, const char *why) {
    struct http_origin *o = c->origin;
    struct http_transfer *t = !c->is_unasked && o->waiting >= o->dialing ? TAILQ_FIRST(&o->queue) : NULL;
    o->ahead = 0;
    if (t) {
        queue_remove(t);
        c->pool->over(t, error, why);
    }
    close_and_dial(c); /* a request of another origin may have waited for this place */
}

static void on_dialed(void *user, enum http_error error, const char *why) {
    struct http_connection *c = user;
    struct http_pool *pool = c->pool;
    if (error != HTTP_FINE) {
        fail_first(c, error, why);
        return;
    }
    c->origin->dialing--;
    c->state = HTTP_BUSY;
    pool->opened++;
    int64_t now = clock_monotonic(&pool->clock);
    http_dials_learn(&c->origin->dials, now - c->dialed_at);
    if (c->origin->host) {
        c->origin->host->proved = now;
    }
    if (pool->connection_count > pool->max_connections) {
        close_and_dial(c); /* a look: it has shown that the host can be reached */
        return;
    }
    release(c);
    dial_as_needed(pool); /* for those beyond the dials allowed at once: this connection may be busy for long */
}

static void on_ready(void *user, unsigned events) {
    struct http_connection *c = user;
    if (c->transfer) {
        http_exchange_go_on(c, events);
    } else if (!connection_is_quiet(c->line)) {
        close_and_dial(c);
    }
}

void http_drop_idle(struct http *http) {
    for (const struct http_origin *o = http->pool.origins.origins; o; o = o->next) {
        for (struct http_connection *c; (c = http_connection_oldest(o));) {
            http_connection_end(c);
        }
    }
}

bool http_pool_init(struct http_pool *pool, struct loop *loop, const struct http_options *options,
                    void (*over)(struct http_transfer *t, enum http_error error, const char *why)) {
    pool->clock = loop_clock(loop);
    pool->over = over;
    pool->max_connections = options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS;
    pool->origins.hosts = &pool->hosts;
    pool->dialed = on_dialed;
    pool->ready = on_ready;
    pool->exchanges.loop = loop;
    pool->exchanges.user_agent = options->user_agent;
    pool->exchanges.ended = on_ended;
    TAILQ_INIT(&pool->connections);
    pool->connector = connector_new(loop, options->ca_file, options->user_agent);
    return pool->connector && random_seed_from_system(&pool->random);
}

void http_pool_free(struct http_pool *pool) {
    while (!TAILQ_EMPTY(&pool->connections)) {
        http_connection_end(TAILQ_FIRST(&pool->connections));
    }
    connector_free(pool->connector);
    http_origins_free(&pool->origins);
}
