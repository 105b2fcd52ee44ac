#include "backlog.h"

static const int64_t FIRST_LOOK = 60 * MICROSECONDS, LOOK_INTERVAL = 300 * MICROSECONDS;
static const int64_t LOOK_DEADLINE = 20 * MICROSECONDS;
static const int64_t WARNING_INTERVAL = 900 * MICROSECONDS;

/* No queue holds more. The counts come from outside, and larger ones could overflow the sums below. */
static const uint64_t BACKLOG_MAX = (uint64_t)1 << 50;

/* How many seconds ago the oldest of the messages that came lately was sent. */
static int64_t age_of_oldest(const struct backlog *b) {
    int64_t age = b->oldest_sent ? (clock_wall(b->platform->clock) - b->oldest_sent) / MICROSECONDS : 0;
    return age > 0 ? age : 0;
}

static void warn(struct backlog *b, uint64_t backlog, int64_t per_hour, int64_t needed, int64_t left) {
    int64_t now = clock_monotonic(b->platform->clock);
    if (now < b->silent_until)
        return;
    b->silent_until = now + WARNING_INTERVAL;
    if (per_hour > 0)
        LOG_EVENT(b->platform->log, LOG_LEVEL_WARNING,
                  "At this process's rate the backlog takes longer than SQS keeps its oldest messages: they will be "
                  "lost, unless more processes or a longer retention help",
                  LOG_C("queue", b->queue->name), LOG_I("backlog", backlog), LOG_I("done_in_an_hour", per_hour),
                  LOG_I("seconds_needed", needed), LOG_I("seconds_left", left),
                  LOG_I("retention_seconds", b->retention));
    else
        LOG_EVENT(b->platform->log, LOG_LEVEL_WARNING,
                  "Nothing is worked off, and half of the oldest messages' retention is over: a longer retention keeps "
                  "them longer",
                  LOG_C("queue", b->queue->name), LOG_I("backlog", backlog), LOG_I("seconds_left", left),
                  LOG_I("retention_seconds", b->retention));
}

/* Messages an hour: what this process does, or how the backlog shrinks (others may be at work), whichever is more. */
static int64_t rate_per_hour(const struct backlog *b, uint64_t backlog) {
    int64_t seconds = (clock_monotonic(b->platform->clock) - b->looked_at) / MICROSECONDS;
    uint64_t own = b->view(b->ctx).done - b->before.done;
    uint64_t shrunk = b->counted_before > backlog ? b->counted_before - backlog : 0;
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

static void judge(struct backlog *b, const struct sqs_queue_attributes *counts) {
    uint64_t backlog = backlog_of(counts);
    int64_t per_hour = rate_per_hour(b, backlog);
    if (counts->retention)
        b->retention = counts->retention;
    int64_t left = (int64_t)b->retention - age_of_oldest(b);
    int64_t needed = per_hour > 0 ? (int64_t)(backlog * 3600 / (uint64_t)per_hour) : b->retention / 2;
    if (b->retention && backlog > 0 && needed > left)
        warn(b, backlog, per_hour, needed, left > 0 ? left : 0);
    b->counted_before = backlog;
    b->looked_at = clock_monotonic(b->platform->clock);
    b->looked = true;
    b->before = b->view(b->ctx);
}

static void on_counts(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct backlog *b = user;
    b->call = NULL;
    if (result->class == CALL_OK && attributes && sqs_counts_told(attributes))
        judge(b, attributes);
}

static void on_look(void *user) {
    struct backlog *b = user;
    int64_t now = clock_monotonic(b->platform->clock);
    timer_start(b->platform->timers, &b->timer, now + LOOK_INTERVAL);
    struct backlog_view view = b->view(b->ctx);
    bool idle = view.in_flight == 0 && view.received == b->before.received;
    if (b->call || idle || !b->retention)
        return;
    struct call_options options = {.deadline = now + LOOK_DEADLINE};
    b->call = b->platform->sqs->get_attributes(b->platform->sqs->ctx, b->queue->url, &options, on_counts, b);
}

void backlog_start(struct backlog *b, const struct platform *platform, const struct queue_facts *queue,
                   struct backlog_view (*view)(void *ctx), void *ctx) {
    int64_t now = clock_monotonic(platform->clock);
    *b = (struct backlog){.platform = platform,
                          .queue = queue,
                          .view = view,
                          .ctx = ctx,
                          .retention = queue->attributes.retention,
                          .looked_at = now,
                          .silent_until = now};
    timer_init(&b->timer, on_look, b);
    timer_start(b->platform->timers, &b->timer, now + FIRST_LOOK);
}

void backlog_received(struct backlog *b, int64_t sent_at) {
    if (sent_at <= 0)
        return;
    if (b->looked || b->oldest_sent == 0 || sent_at < b->oldest_sent)
        b->oldest_sent = sent_at;
    b->looked = false;
}

void backlog_stop(struct backlog *b) {
    timer_stop(b->platform->timers, &b->timer);
    if (b->call)
        b->platform->sqs->cancel(b->platform->sqs->ctx, b->call);
    b->call = NULL;
}
