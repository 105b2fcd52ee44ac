/* Leases: while a message is worked on or held, its visibility timeout is extended in time; never afterwards. */
#include "queue_worker_private.h"

/* A message starts only with this much left at least: time enough to extend it again. A third of the shortest leases.
 */
static const int64_t START_MARGIN = 3 * MICROSECONDS;
/* A lease is treated as over this much before SQS ends it: answers take time. */
static const int64_t END_MARGIN = MICROSECONDS;
static const int64_t LOST_CHECK = MICROSECONDS;

static int64_t lease_length(const struct queue_worker *w) {
    return (int64_t)w->facts->visibility * MICROSECONDS;
}

int64_t lease_end_of(const struct held *h) {
    return h->lease_until - END_MARGIN;
}

/* The next thing to do: extend it with half of it left; where nothing more can be asked for, or the answer is awaited,
 * its end. Those that came in one batch stay together in time, and so in the batches of their extensions. */
static void plan(struct held *h) {
    bool asked = h->last_lease || batch_entry_busy(&h->extend.entry);
    int64_t at = asked ? lease_end_of(h) : h->lease_until - lease_length(h->worker) / 2;
    timer_start(h->worker->ports.timers, &h->lease_timer, at);
}

/* The seconds to ask for: SQS counts its 12 hours from the receive. 0: there is nothing left to ask for. */
static unsigned seconds_left(const struct held *h, int64_t now) {
    int64_t most = h->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS - now - 2 * END_MARGIN;
    int64_t wanted = lease_length(h->worker);
    if (most < wanted)
        wanted = most;
    return now + wanted > h->lease_until ? (unsigned)(wanted / MICROSECONDS) : 0;
}

static void extend(struct held *h, int64_t now) {
    h->extend.seconds = seconds_left(h, now);
    h->last_lease = h->extend.seconds < h->worker->facts->visibility; /* its 12 hours end with it */
    if (h->extend.seconds > 0) {
        h->extend.entry.expires = h->lease_until;
        batcher_add(&h->worker->visibilities, &h->extend.entry);
    }
    plan(h);
}

/* SQS may give it to another now. The outcome of what is under way is awaited all the same. */
static void over(struct held *h, int64_t now) {
    struct queue_worker *w = h->worker;
    bool runs = h->state == HELD_WORKING && h->job.state == JOB_RUNNING;
    bool flies = h->state == HELD_DEAD_LETTER && h->sending.flight;
    h->lost = true;
    if (h->state == HELD_DELETING) {
        lease_end(h); /* its handle may serve for a while yet */
        return;
    }
    if (runs || flies) {
        batcher_remove(&w->visibilities, &h->extend.entry);
        timer_start(w->ports.timers, &h->lease_timer, now + LOST_CHECK);
        return;
    }
    held_let_go(h);
    engine_pump(&w->engine);
}

static void on_lease_timer(void *user) {
    struct held *h = user;
    int64_t now = clock_monotonic(h->worker->ports.clock);
    if (h->lost || now >= lease_end_of(h))
        over(h, now);
    else
        extend(h, now);
}

void lease_begin(struct held *h) {
    timer_init(&h->lease_timer, on_lease_timer, h);
    plan(h);
}

void lease_end(struct held *h) {
    timer_stop(h->worker->ports.timers, &h->lease_timer);
    batcher_remove(&h->worker->visibilities, &h->extend.entry);
}

bool lease_allows_start(const struct held *h) {
    return !h->lost && h->lease_until - clock_monotonic(h->worker->ports.clock) >= START_MARGIN;
}

void lease_extended(struct held *h, enum batch_end end, const char *code) {
    struct queue_worker *w = h->worker;
    int64_t now = clock_monotonic(w->ports.clock);
    if (h->lost)
        return;
    metrics_extension(w->ports.metrics, end != BATCH_DONE);
    if (end != BATCH_DONE) {
        /* SQS says no: the handle is dead. Another may have it already. */
        LOG_EVENT(w->ports.log, LOG_LEVEL_DEBUG, "A visibility timeout was not extended",
                  LOG_S("message_id", h->message->message_id), LOG_C("code", code));
        h->lost = true;
        h->lease_until = h->lease_until < now ? h->lease_until : now;
        timer_start(w->ports.timers, &h->lease_timer, now);
        return;
    }
    h->lease_until = h->extend.entry.sent_at + (int64_t)h->extend.seconds * MICROSECONDS;
    h->sending.expires = lease_end_of(h);
    if (h->lease_until > h->removal.expires)
        h->removal.expires = h->lease_until;
    plan(h);
    engine_pump(&w->engine);
}
