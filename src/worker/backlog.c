/* Will the backlog be worked off before SQS drops its oldest messages? Looked at now and then while there is work. */
#include "queue_worker_private.h"

static const int64_t FIRST_LOOK = 60 * MICROSECONDS, LOOK_INTERVAL = 300 * MICROSECONDS;
static const int64_t LOOK_DEADLINE = 20 * MICROSECONDS;
static const int64_t WARNING_INTERVAL = 900 * MICROSECONDS;

/* No queue holds more. Counts come from outside, and a larger one would be too large to count the hours with. */
static const uint64_t BACKLOG_MAX = (uint64_t)1 << 50;

static uint64_t done_with(const struct queue_worker *w) {
    return w->totals.applied + w->totals.dead_lettered;
}

/* Seconds since the oldest message was sent that has come lately, or is in flight. */
static int64_t age_of_oldest(const struct queue_worker *w) {
    const struct backlog *f = &w->backlog;
    int64_t age = f->oldest_sent ? (clock_wall(w->platform.clock) - f->oldest_sent) / MICROSECONDS : 0;
    return age > 0 ? age : 0;
}

static void warn(struct queue_worker *w, uint64_t backlog, int64_t per_hour, int64_t needed, int64_t left) {
    struct backlog *f = &w->backlog;
    int64_t now = clock_monotonic(w->platform.clock);
    if (now < f->silent_until)
        return;
    f->silent_until = now + WARNING_INTERVAL;
    if (per_hour > 0)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "At this process's rate the backlog takes longer than SQS keeps its oldest messages: they will be "
                  "lost, unless more processes or a longer retention help",
                  LOG_C("queue", w->facts->queue.name), LOG_I("backlog", backlog), LOG_I("done_in_an_hour", per_hour),
                  LOG_I("seconds_needed", needed), LOG_I("seconds_left", left),
                  LOG_I("retention_seconds", f->retention));
    else
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Nothing is worked off, and half of the time is over for which SQS keeps the oldest messages: a "
                  "longer retention keeps them longer",
                  LOG_C("queue", w->facts->queue.name), LOG_I("backlog", backlog), LOG_I("seconds_left", left),
                  LOG_I("retention_seconds", f->retention));
}

/* By the faster of what this process does and of how the backlog shrinks (others may be at work). */
static int64_t rate_per_hour(const struct queue_worker *w, uint64_t backlog) {
    const struct backlog *f = &w->backlog;
    int64_t seconds = (clock_monotonic(w->platform.clock) - f->looked_at) / MICROSECONDS;
    uint64_t own = done_with(w) - f->done_before;
    uint64_t shrunk = f->backlog_before > backlog ? f->backlog_before - backlog : 0;
    uint64_t faster = own > shrunk ? own : shrunk;
    return seconds > 0 ? (int64_t)((faster < BACKLOG_MAX ? faster : BACKLOG_MAX) * 3600) / seconds : 0;
}

static uint64_t backlog_of(const struct sqs_queue_attributes *counts) {
    const uint64_t parts[] = {counts->visible, counts->in_flight, counts->delayed};
    uint64_t sum = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        sum = parts[i] < BACKLOG_MAX - sum ? sum + parts[i] : BACKLOG_MAX;
    return sum;
}

static void judge(struct queue_worker *w, const struct sqs_queue_attributes *counts) {
    struct backlog *f = &w->backlog;
    uint64_t backlog = backlog_of(counts);
    int64_t per_hour = rate_per_hour(w, backlog);
    if (counts->retention)
        f->retention = counts->retention;
    int64_t left = (int64_t)f->retention - age_of_oldest(w);
    int64_t needed = per_hour > 0 ? (int64_t)(backlog * 3600 / (uint64_t)per_hour) : f->retention / 2;
    if (f->retention && backlog > 0 && needed > left)
        warn(w, backlog, per_hour, needed, left > 0 ? left : 0);
    f->backlog_before = backlog;
    f->done_before = done_with(w);
    f->looked_at = clock_monotonic(w->platform.clock);
    f->looked = true;
    f->received_before = w->totals.received;
}

static void on_counts(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct queue_worker *w = user;
    w->backlog.call = NULL;
    if (result->class == CALL_OK && attributes && sqs_counts_told(attributes))
        judge(w, attributes);
}

static void on_look(void *user) {
    struct queue_worker *w = user;
    struct backlog *f = &w->backlog;
    int64_t now = clock_monotonic(w->platform.clock);
    timer_start(w->platform.timers, &f->timer, now + LOOK_INTERVAL);
    bool idle = messages_in_flight(w) == 0 && w->totals.received == f->received_before;
    if (f->call || idle || !f->retention)
        return;
    struct call_options options = {.deadline = now + LOOK_DEADLINE};
    f->call = w->platform.sqs->get_attributes(w->platform.sqs->ctx, w->facts->queue.url, &options, on_counts, w);
}

void backlog_init(struct queue_worker *w) {
    struct backlog *f = &w->backlog;
    int64_t now = clock_monotonic(w->platform.clock);
    *f = (struct backlog){.retention = w->facts->queue.attributes.retention, .looked_at = now, .silent_until = now};
    timer_init(&f->timer, on_look, w);
    timer_start(w->platform.timers, &f->timer, now + FIRST_LOOK);
}

void backlog_received(struct queue_worker *w, int64_t sent_at) {
    struct backlog *f = &w->backlog;
    if (sent_at <= 0)
        return;
    if (f->looked || f->oldest_sent == 0 || sent_at < f->oldest_sent)
        f->oldest_sent = sent_at;
    f->looked = false;
}

void backlog_stop(struct queue_worker *w) {
    timer_stop(w->platform.timers, &w->backlog.timer);
    if (w->backlog.call)
        w->platform.sqs->cancel(w->platform.sqs->ctx, w->backlog.call);
    w->backlog.call = NULL;
}
