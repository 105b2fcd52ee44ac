#include "credentials_cache.h"

#include "credentials_held.h"
#include "credentials_refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE 1024
#define YOUNG MICROSECONDS /* keys that are refused this soon have never worked */

#define LINE_INTERVAL (60 * MICROSECONDS)

struct waits {
    struct credentials_wait *first, *last;
};

struct cache {
    /* Fixed. */
    struct credentials_source source;
    struct credentials_cache_options options;

    /* Changes. */
    struct credentials_held *held; /* NULL: none yet */
    struct refresh_times times; /* of the credentials held */
    bool refused; /* the credentials held were refused, and the source wasn't asked since */
    bool fetching;
    bool asking; /* begin() is running further up the stack */
    bool said; /* the log was told that the old credentials are still used */
    bool suspect; /* the credentials held were refused before they ever worked, or the source gave refused ones again */
    unsigned failures, refusals; /* in a row */
    int64_t fetched_at; /* monotonic: when those held came */
    int64_t not_before; /* monotonic: the source isn't asked before */
    int64_t next_line; /* monotonic: the next renewal isn't logged before */
    struct waits waiting;
    struct waits served; /* those that are just being answered */
    enum call_class class; /* of the last failure */
    char why[WHY_SIZE];
};

void credentials_source_release(struct credentials_source *source) {
    if (source->release) {
        source->release(source->impl);
    }
    *source = (struct credentials_source){0};
}

static void push(struct waits *list, struct credentials_wait *wait) {
    wait->next = NULL;
    wait->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = wait;
    list->last = wait;
}

static bool take_out(struct waits *list, struct credentials_wait *wait) {
    struct credentials_wait *w = list->first;
    while (w && w != wait) {
        w = w->next;
    }
    if (!w) {
        return false;
    }
    *(w->previous ? &w->previous->next : &list->first) = w->next;
    *(w->next ? &w->next->previous : &list->last) = w->previous;
    w->next = w->previous = NULL;
    return true;
}

static int64_t now(const struct cache *c) {
    return clock_monotonic(&c->options.clock);
}

static int64_t wall(const struct cache *c) {
    return clock_wall(&c->options.clock);
}

/* Answers one that is in no list. held is NULL: with the failure. */
static void answer(struct cache *c, struct credentials_held *held, struct credentials_wait *wait) {
    if (held) {
        credentials_hand_over(held, wait);
        return;
    }
    char why[WHY_SIZE];
    memcpy(why, c->why, sizeof why);
    const struct credentials_failure failure = {c->class, why};
    wait->pending = false;
    wait->ready(wait->user, NULL, &failure);
}

static struct credentials_held *good(const struct cache *c) {
    return c->refused ? NULL : c->held;
}

/* All waiters get this one answer, whatever the callbacks of the first ones do. Who asks from inside a callback isn't
 * among them. */
static void serve(struct cache *c) {
    struct credentials_held *held = good(c);
    if (held) {
        held->references++;
    }
    c->served = c->waiting;
    c->waiting = (struct waits){NULL, NULL};
    while (c->served.first) {
        struct credentials_wait *wait = c->served.first;
        (void)take_out(&c->served, wait);
        answer(c, held, wait);
    }
    credentials_let_go(held);
}

static void log_renewal(const struct cache *c, bool expired) {
    char until[ISO8601_SIZE];
    clock_iso8601(c->held->credentials.expires, until);
    LOG_EVENT(
        c->options.log, expired ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
        expired ? "The source of the credentials can't renew them at present, and gives expired ones; they are used"
                : "The credentials were renewed",
        LOG_C("provider", c->options.name), LOG_C("expires", c->held->credentials.expires == NEVER ? "never" : until));
}

static void take_failure(struct cache *c, const struct credentials_failure *failure) {
    c->class = failure->class;
    (void)snprintf(c->why, sizeof c->why, "%s", failure->message);
    bool used_on = good(c) != NULL;
    c->not_before = now(c) + (used_on ? refresh_pause(c->options.random, wall(c), c->held->credentials.expires)
                                      : refresh_short_pause(c->failures));
    c->failures++;
    if (used_on && !c->said && c->options.log) {
        char until[ISO8601_SIZE];
        clock_iso8601(c->held->credentials.expires, until);
        LOG_EVENT(c->options.log, LOG_LEVEL_WARNING,
                  "The credentials can't be renewed; those held are used on, and it is tried again",
                  LOG_C("provider", c->options.name), LOG_C("expires", until), LOG_C("why", c->why));
        c->said = true;
    }
}

static void take(struct cache *c, const struct credentials *credentials) {
    struct credentials_held *fresh = credentials_hold(credentials), *old = c->held;
    if (!fresh) {
        take_failure(c, &(struct credentials_failure){CALL_RETRY, "out of memory"});
        return;
    }
    c->suspect = c->refused && span_equal(fresh->credentials.access_key_id, old->credentials.access_key_id);
    c->held = fresh;
    c->times = refresh_times(c->options.random, wall(c), fresh->credentials.expires);
    c->refused = false;
    c->failures = 0;
    c->fetched_at = now(c);
    /* A source that gives expired credentials can't renew them at present: it gets time. */
    bool expired = fresh->credentials.expires <= wall(c);
    c->not_before = now(c) + (expired ? refresh_pause(c->options.random, 0, 0) : refresh_short_pause(c->refusals));
    if (c->options.log && (old || expired) && (c->said || now(c) >= c->next_line)) {
        log_renewal(c, expired);
        c->next_line = now(c) + LINE_INTERVAL;
    }
    c->said = expired;
    credentials_let_go(old);
}

static void on_fetched(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct cache *c = user;
    c->fetching = false;
    if (!credentials) {
        take_failure(c, failure);
    } else if (!credentials_plausible(credentials)) {
        take_failure(c, &(struct credentials_failure){CALL_RETRY,
                                                      "the source gives keys that are too long, or have characters "
                                                      "that no credentials have"});
    } else if (credentials->expires <= wall(c) && !c->options.expired_ones_count) {
        take_failure(c, &(struct credentials_failure){CALL_RETRY,
                                                      "the source gives keys that are expired already: look at its "
                                                      "clock, and at ours"});
    } else {
        take(c, credentials);
    }
    serve(c);
}

/* Starts a fetch unless one is under way. A source may answer at once, and those who are answered may ask again: asking
 * guards against that. */
static void begin(struct cache *c) {
    if (!c->fetching && !c->asking) {
        c->fetching = c->asking = true;
        c->source.fetch(c->source.impl, on_fetched, c);
        c->asking = false;
    }
}

static void cache_get(void *impl, struct credentials_wait *wait) {
    struct cache *c = impl;
    enum refresh_phase phase = !c->held || c->refused ? REFRESH_NEEDED : refresh_phase(&c->times, wall(c));
    bool in_peace = !c->fetching && now(c) < c->not_before;
    if (phase == REFRESH_NEEDED && !in_peace && !c->asking) {
        wait->pending = true;
        push(&c->waiting, wait);
        begin(c);
        return;
    }
    answer(c, good(c), wait);
    if (phase == REFRESH_AHEAD && !in_peace) {
        begin(c);
    }
}

static void cache_cancel(void *impl, struct credentials_wait *wait) {
    struct cache *c = impl;
    if (take_out(&c->served, wait) || take_out(&c->waiting, wait)) {
        wait->pending = false; /* the fetch goes on: its answer will be needed */
    }
}

static void cache_invalidate(void *impl, struct span access_key_id) {
    struct cache *c = impl;
    if (!access_key_id.len) {
        c->times.ahead = INT64_MIN;
        c->not_before = now(c);
        return;
    }
    if (!good(c) || !span_equal(c->held->credentials.access_key_id, access_key_id)) {
        return;
    }
    /* If keys worked for a while, they were replaced: the source has new ones at once. If new ones are refused as well,
     * something else is wrong, and the source is asked more and more rarely. */
    c->suspect = c->suspect || now(c) - c->fetched_at < YOUNG;
    if (c->suspect && now(c) < c->not_before) {
        return;
    }
    c->refusals = c->suspect ? c->refusals + 1 : 0;
    c->refused = true;
    c->not_before = now(c);
    (void)snprintf(c->why, sizeof c->why, "the service refused the credentials, and their source wasn't asked yet");
    c->class = CALL_RETRY;
}

static void cache_release(void *impl) {
    struct cache *c = impl;
    if (c->fetching) {
        c->source.cancel(c->source.impl);
    }
    credentials_source_release(&c->source);
    credentials_let_go(c->held);
    free(c);
}

bool credentials_cache_new(struct credentials_source *source, const struct credentials_cache_options *options,
                           struct credentials_provider *ret_provider) {
    struct cache *c = calloc(1, sizeof *c);
    if (!c) {
        return false;
    }
    c->source = *source;
    *source = (struct credentials_source){0};
    c->options = *options;
    c->not_before = INT64_MIN;
    *ret_provider = (struct credentials_provider){c, cache_get, cache_cancel, cache_invalidate, cache_release};
    return true;
}
