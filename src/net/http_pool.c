/* Which request gets which connection: each origin has its idle ones, the newest of which is used next, and a queue of
 * requests. Whichever connection is free first, an old one or one that was just opened, takes the first of the queue.
 */
#include "http_private.h"

#define CONNECT_TIMEOUT (5 * MICROSECONDS)
#define IDLE_LIFETIME (25 * MICROSECONDS) /* below the 30 s of servers that close early */
#define GIVES_WAY_AFTER MICROSECONDS /* each change costs a handshake */
#define DIALS_AT_ONCE 32 /* of an origin: each costs a handshake, and what is free sooner serves as well */

static void queue_push(struct http_transfer *t, int64_t now) {
    struct http_origin *o = t->target->origin;
    t->waits_since = now;
    t->place = AT_QUEUE;
    TAILQ_INSERT_TAIL(&o->queue, t, in_place);
    o->waiting++;
}

void http_pool_forget(struct http_transfer *t) {
    struct http_origin *o = t->target->origin;
    TAILQ_REMOVE(&o->queue, t, in_place);
    o->waiting--;
    t->place = AT_NOBODY;
}

static void idle_push(struct http_connection *c, int64_t now) {
    c->state = CONNECTION_IDLE;
    c->idle_since = now;
    TAILQ_INSERT_HEAD(&c->origin->idle, c, in_idle);
}

static void idle_remove(struct http_connection *c) {
    TAILQ_REMOVE(&c->origin->idle, c, in_idle);
    c->state = CONNECTION_BUSY;
}

static struct http_connection *newest_idle(const struct http_origin *o) {
    return TAILQ_FIRST(&o->idle);
}

static struct http_connection *oldest_idle(const struct http_origin *o) {
    return TAILQ_LAST(&o->idle, http_connections);
}

static void hang_up(struct http_connection *c) {
    if (c->state == CONNECTION_IDLE) {
        idle_remove(c);
    }
    if (c->state != CONNECTION_DIALING) {
        http_exchange_close(c);
    }
    http_dial_hang_up(c);
}

/* Whether there is room for one more connection, which may be had by closing the one that was idle longest. */
static bool make_room(struct http *http) {
    if (http->connection_count < http->max_connections) {
        return true;
    }
    struct http_connection *oldest = NULL;
    for (const struct http_origin *o = http->targets.origins; o; o = o->next) {
        if (oldest_idle(o) && (!oldest || oldest_idle(o)->idle_since < oldest->idle_since)) {
            oldest = oldest_idle(o);
        }
    }
    if (oldest) {
        hang_up(oldest);
    }
    return oldest != NULL;
}

/* The request that has waited longest for a connection that nobody opens yet; NULL: none. */
static struct http_transfer *neediest(const struct http *http) {
    struct http_transfer *found = NULL;
    for (const struct http_origin *o = http->targets.origins; o; o = o->next) {
        struct http_transfer *first = TAILQ_FIRST(&o->queue);
        if (first && o->dialing < o->waiting && o->dialing < DIALS_AT_ONCE &&
            (!found || first->waits_since < found->waits_since)) {
            found = first;
        }
    }
    return found;
}

/* Opens connections for those that wait, as far as that may be. */
static void dial_as_needed(struct http *http) {
    for (struct http_transfer *first; !http->is_closing && (first = neediest(http)) && make_room(http);) {
        int64_t timeout = first->request.connect_timeout ? first->request.connect_timeout : CONNECT_TIMEOUT;
        if (!http_dial(http, first->target->origin, timeout)) {
            http_pool_forget(first);
            http_end(first, HTTP_NO_MEMORY, "");
        }
    }
}

/* Opens a connection to see where the name leads now; without memory the next request looks. It may be one beyond the
 * limit: no living connection is given up for it, and where all are busy a look is needed as well. */
static void look(struct http *http, struct http_origin *o) {
    struct http_connection *c = o->dialing == 0 ? http_dial(http, o, CONNECT_TIMEOUT) : NULL;
    if (c) {
        c->is_look = true;
    }
}

/* Closes those that nobody has used for long, and those that are too old where a new one can be had. */
static void prune(struct http_origin *o, bool ages, int64_t now) {
    for (struct http_connection *c;
         (c = oldest_idle(o)) && (now - c->idle_since > IDLE_LIFETIME || (ages && now > c->ages_at));) {
        hang_up(c);
    }
    for (struct http_connection *c; ages && (c = newest_idle(o)) && now > c->ages_at;) {
        hang_up(c);
    }
}

void http_pool_assign(struct http_transfer *t) {
    struct http *http = t->http;
    struct http_origin *o = t->target->origin;
    int64_t now = clock_monotonic(&http->clock);
    struct http_reuse reuse = http_host_reuse(o->host, now);
    prune(o, reuse.ages, now);
    struct http_connection *c;
    while ((c = newest_idle(o)) && !http_exchange_is_quiet(c)) {
        hang_up(c);
    }
    if (c) {
        idle_remove(c);
        http_exchange_begin(c, t);
    } else {
        queue_push(t, now);
        dial_as_needed(http);
    }
    if (reuse.fresh) {
        look(http, o);
    }
}

/* Whether an origin's connection that its first request could have is to go to another's, which has waited for longer.
 */
static bool gives_way(const struct http *http, const struct http_transfer *first) {
    const struct http_transfer *other = http->connection_count < http->max_connections ? NULL : neediest(http);
    return other && other->target->origin != first->target->origin &&
           first->waits_since - other->waits_since > GIVES_WAY_AFTER;
}

void http_pool_release(struct http_connection *c) {
    struct http_origin *o = c->origin;
    struct http_transfer *t = TAILQ_FIRST(&o->queue);
    int64_t now = clock_monotonic(&c->http->clock);
    if (now > c->ages_at && http_host_ages(o->host, now)) {
        http_pool_close(c);
        return;
    }
    if (t && (gives_way(c->http, t) || !http_exchange_is_quiet(c))) {
        http_pool_close(c);
        return;
    }
    if (t) {
        http_pool_forget(t);
        t->moved_at = now;
        http_exchange_begin(c, t);
        return;
    }
    idle_push(c, now);
    if (c->http->connection_count >= c->http->max_connections) {
        dial_as_needed(c->http); /* another origin may be short of it */
    }
}

void http_pool_close(struct http_connection *c) {
    struct http *http = c->http;
    hang_up(c);
    dial_as_needed(http);
}

/* It can't be opened: so fails the first that waits for one that isn't there. Nobody waits for a look. */
static void fail_first(struct http_connection *c, CURLcode code) {
    struct http *http = c->http;
    struct http_origin *o = c->origin;
    struct http_transfer *t = !c->is_look && o->waiting >= o->dialing ? TAILQ_FIRST(&o->queue) : NULL;
    if (t) {
        http_pool_forget(t);
        http_end(t, http_dial_error(code), http_dial_words(c, code));
    }
    http_dial_hang_up(c);
    dial_as_needed(http); /* another origin's may have waited for the room */
}

void http_pool_dialed(struct http_connection *c, CURLcode code) {
    struct http *http = c->http;
    struct http_origin *o = c->origin;
    if (code == CURLE_OK && !http_exchange_open(c)) {
        code = CURLE_GOT_NOTHING;
    }
    if (code != CURLE_OK) {
        fail_first(c, code);
        return;
    }
    o->dialing--;
    c->state = CONNECTION_BUSY;
    http->stats.connections++;
    if (o->host) {
        o->host->proved = clock_monotonic(&http->clock);
    }
    if (http->connection_count > http->max_connections) {
        http_pool_close(c); /* a look, which has shown what it was to show */
        return;
    }
    http_pool_release(c);
    dial_as_needed(http); /* for those beyond DIALS_AT_ONCE: who got this one may keep it for long */
}

void http_drop_idle(struct http *http) {
    for (const struct http_origin *o = http->targets.origins; o; o = o->next) {
        for (struct http_connection *c; (c = oldest_idle(o));) {
            hang_up(c);
        }
    }
}

void http_pool_free(struct http *http) {
    while (!TAILQ_EMPTY(&http->connections)) {
        hang_up(TAILQ_FIRST(&http->connections));
    }
}
