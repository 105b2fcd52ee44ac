/* Leases: while a message is worked on or held, its visibility timeout is extended in time; never afterwards. */
#include "queue_worker_private.h"

/* A message starts only with this much left at least: time enough to extend it again. A third of the shortest leases. */
static const int64_t START_MARGIN = 3 * MICROSECONDS;
/* A lease is treated as over this much before SQS ends it: answers take time. */
static const int64_t END_MARGIN = MICROSECONDS;

static int64_t lease_length(const struct queue_worker *w) {
    return (int64_t)w->facts->visibility * MICROSECONDS;
}

/* When to extend: with half of it left. */
static int64_t renewal_of(const struct held *h) {
    return h->lease_until - lease_length(h->worker) / 2;
}

static void schedule(struct queue_worker *w) {
    const struct held *h = TAILQ_FIRST(&w->leases);
    if (!h) {
        timer_stop(w->ports.timers, &w->lease_timer);
        return;
    }
    int64_t now = clock_monotonic(w->ports.clock);
    int64_t at = renewal_of(h);
    if (batch_entry_busy(&h->extend.entry) || h->lost) {
        /* Waits for its answer or its end; those behind it must not wait with it. */
        int64_t end = h->lease_until - END_MARGIN, turn = now + lease_length(w) / 20;
        at = end < turn ? end : turn;
    }
    int64_t least = now + 100 * MILLISECOND; /* what is due together goes together */
    timer_start(w->ports.timers, &w->lease_timer, at > least ? at : least);
}

/* The seconds to ask for: SQS counts its 12 hours from the receive. 0: there is nothing left to ask for. */
static unsigned seconds_left(const struct held *h, int64_t now) {
    int64_t most = h->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS - now - 2 * END_MARGIN;
    int64_t wanted = lease_length(h->worker);
    if (most < wanted)
        wanted = most;
    return wanted > 2 * START_MARGIN ? (unsigned)(wanted / MICROSECONDS) : 0;
}

static void extend(struct held *h, int64_t now) {
    h->extend.seconds = seconds_left(h, now);
    if (h->extend.seconds == 0)
        return; /* its 12 hours are nearly over: it goes when the lease does */
    h->extend.entry.expires = h->lease_until;
    batcher_add(&h->worker->visibilities, &h->extend.entry);
}

static void on_lease_timer(void *user) {
    struct queue_worker *w = user;
    int64_t now = clock_monotonic(w->ports.clock);
    /* Those due a little later go along: fewer calls. */
    int64_t horizon = now + lease_length(w) / 20;
    struct held *next;
    for (struct held *h = TAILQ_FIRST(&w->leases); h && renewal_of(h) <= horizon; h = next) {
        next = TAILQ_NEXT(h, by_lease);
        if (h->lease_until - END_MARGIN <= now) {
            h->lost = true;
            bool runs = h->state == HELD_WORKING && h->job.state == JOB_RUNNING;
            bool flies = h->state == HELD_DEAD_LETTER && h->sending.flight;
            if (!runs && !flies)
                held_let_go(h);
            else
                lease_end(h); /* its outcome is awaited all the same */
        } else if (!batch_entry_busy(&h->extend.entry) && !h->lost) {
            extend(h, now);
        }
    }
    schedule(w);
    poller_pump(w);
    drain_review(w);
}

void lease_init(struct queue_worker *w) {
    TAILQ_INIT(&w->leases);
    timer_init(&w->lease_timer, on_lease_timer, w);
}

void lease_begin(struct held *h) {
    struct queue_worker *w = h->worker;
    TAILQ_INSERT_TAIL(&w->leases, h, by_lease);
    h->leased = true;
    if (!w->lease_timer.running)
        schedule(w);
}

void lease_end(struct held *h) {
    if (!h->leased)
        return;
    struct queue_worker *w = h->worker;
    TAILQ_REMOVE(&w->leases, h, by_lease);
    h->leased = false;
    batcher_remove(&w->visibilities, &h->extend.entry);
}

bool lease_allows_start(const struct held *h) {
    return !h->lost && h->lease_until - clock_monotonic(h->worker->ports.clock) >= START_MARGIN;
}

void lease_extended(struct held *h, enum batch_end end, const char *code) {
    struct queue_worker *w = h->worker;
    if (!h->leased)
        return;
    if (end != BATCH_DONE) {
        /* SQS says no: the handle is dead, or the 12 hours are over. What is left of the lease stays. */
        LOG_EVENT(w->ports.log, LOG_LEVEL_DEBUG, "A visibility timeout was not extended", LOG_S("message_id", h->message->message_id),
                  LOG_C("code", code));
        h->lease_until = h->lease_until < h->extend.entry.sent_at ? h->lease_until : h->extend.entry.sent_at + END_MARGIN;
        h->lost = true;
        schedule(w);
        return;
    }
    h->lease_until = h->extend.entry.sent_at + (int64_t)h->extend.seconds * MICROSECONDS;
    TAILQ_REMOVE(&w->leases, h, by_lease);
    TAILQ_INSERT_TAIL(&w->leases, h, by_lease);
    schedule(w);
    engine_pump(&w->engine);
}
