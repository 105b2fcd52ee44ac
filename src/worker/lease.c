/* Leases: while a message is in flight, its visibility timeout is extended in time; never afterwards. */
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

int64_t lease_end_of(const struct message *m) {
    return m->lease_until - END_MARGIN;
}

/* The next thing to do: extend it with half of it left; where nothing more can be asked for, or the answer is awaited,
 * its end. Those that came in one batch stay together in time, and so in the batches of their extensions. */
static void plan(struct message *m) {
    bool asked = m->last_lease || batch_entry_busy(&m->extend.entry);
    int64_t at = asked ? lease_end_of(m) : m->lease_until - lease_length(m->worker) / 2;
    timer_start(m->worker->platform.timers, &m->lease_timer, at);
}

/* The seconds to ask for: SQS counts its 12 hours from the receive. 0: there is nothing left to ask for. */
static unsigned seconds_left(const struct message *m, int64_t now) {
    int64_t most = m->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS - now - 2 * END_MARGIN;
    int64_t wanted = lease_length(m->worker);
    if (most < wanted)
        wanted = most;
    return now + wanted > m->lease_until ? (unsigned)(wanted / MICROSECONDS) : 0;
}

static void extend(struct message *m, int64_t now) {
    m->extend.seconds = seconds_left(m, now);
    m->last_lease = m->extend.seconds < m->worker->facts->visibility; /* its 12 hours end with it */
    if (m->extend.seconds > 0) {
        m->extend.entry.expires = m->lease_until;
        batcher_add(&m->worker->visibilities, &m->extend.entry);
    }
    plan(m);
}

/* SQS may give it to another now. The outcome of what is under way is awaited all the same. */
static void over(struct message *m, int64_t now) {
    struct queue_worker *w = m->worker;
    bool runs = m->state == MESSAGE_APPLYING && m->job.state == JOB_RUNNING;
    bool flies = m->state == MESSAGE_DEAD_LETTERING && m->sending.flight;
    m->lost = true;
    if (m->state == MESSAGE_DELETING) {
        lease_end(m); /* its handle may serve for a while yet */
        return;
    }
    if (runs || flies) {
        batcher_remove(&w->visibilities, &m->extend.entry);
        timer_start(w->platform.timers, &m->lease_timer, now + LOST_CHECK);
        return;
    }
    message_lose(m);
    applier_pump(&w->applier);
}

static void on_lease_timer(void *user) {
    struct message *m = user;
    int64_t now = clock_monotonic(m->worker->platform.clock);
    if (m->lost || now >= lease_end_of(m))
        over(m, now);
    else
        extend(m, now);
}

void lease_begin(struct message *m) {
    timer_init(&m->lease_timer, on_lease_timer, m);
    plan(m);
}

void lease_end(struct message *m) {
    timer_stop(m->worker->platform.timers, &m->lease_timer);
    batcher_remove(&m->worker->visibilities, &m->extend.entry);
}

bool lease_allows_start(const struct message *m) {
    return !m->lost && m->lease_until - clock_monotonic(m->worker->platform.clock) >= START_MARGIN;
}

void lease_extended(struct message *m, enum batch_end end, const char *code) {
    struct queue_worker *w = m->worker;
    int64_t now = clock_monotonic(w->platform.clock);
    if (m->lost)
        return;
    metrics_extension(w->platform.metrics, end != BATCH_DONE);
    if (end != BATCH_DONE) {
        /* SQS says no: the handle is dead. Another may have it already. */
        LOG_EVENT(w->platform.log, LOG_LEVEL_DEBUG, "A visibility timeout was not extended",
                  LOG_S("message_id", m->received->message_id), LOG_C("code", code));
        m->lost = true;
        m->lease_until = m->lease_until < now ? m->lease_until : now;
        timer_start(w->platform.timers, &m->lease_timer, now);
        return;
    }
    m->lease_until = m->extend.entry.sent_at + (int64_t)m->extend.seconds * MICROSECONDS;
    m->sending.expires = lease_end_of(m);
    if (m->lease_until > m->removal.expires)
        m->removal.expires = m->lease_until;
    plan(m);
    applier_pump(&w->applier);
}
