#include "queue_depths.h"

static const int64_t INTERVAL = 60 * MICROSECONDS, DEADLINE = 20 * MICROSECONDS;

static int64_t counted(uint64_t count) {
    return count == SQS_COUNT_UNKNOWN || count > INT64_MAX / 4 ? METRICS_ABSENT : (int64_t)count;
}

/* A count that SQS doesn't tell any more becomes absent. */
static void on_counts(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct queue_depth *d = user;
    d->call = NULL;
    bool told = result->class == CALL_OK && attributes && sqs_counts_told(attributes);
    *d->depth = (struct metrics_depth){
        .visible = told ? counted(attributes->visible) : METRICS_ABSENT,
        .in_flight = told ? counted(attributes->in_flight) : METRICS_ABSENT,
        .delayed = told ? counted(attributes->delayed) : METRICS_ABSENT,
    };
}

static void ask(struct queue_depth *d, int64_t now) {
    const struct sqs_api *sqs = d->all->platform->sqs;
    const struct call_options options = {.deadline = now + DEADLINE};
    if (!d->call) {
        d->call = sqs->get_attributes(sqs->ctx, d->url, &options, on_counts, d);
    }
}

static void on_timer(void *user) {
    struct queue_depths *d = user;
    int64_t now = clock_monotonic(d->platform->clock);
    ask(&d->queue, now);
    ask(&d->dlq, now);
    timer_start(d->platform->timers, &d->timer, now + INTERVAL);
}

void queue_depths_start(struct queue_depths *d, const struct platform *platform, const struct discovery_facts *facts,
                        struct metrics *metrics) {
    *d = (struct queue_depths){.platform = platform};
    d->queue = (struct queue_depth){.all = d, .url = facts->queue.url, .depth = &metrics->queue};
    d->dlq = (struct queue_depth){.all = d, .url = facts->dlq.url, .depth = &metrics->dlq};
    timer_init(&d->timer, on_timer, d);
    timer_start(platform->timers, &d->timer, clock_monotonic(platform->clock));
}

void queue_depths_stop(struct queue_depths *d) {
    if (!d->platform) {
        return;
    }
    timer_stop(d->platform->timers, &d->timer);
    struct queue_depth *each[] = {&d->queue, &d->dlq};
    for (size_t i = 0; i < ARRAY_LENGTH(each); i++) {
        if (each[i]->call) {
            d->platform->sqs->cancel(d->platform->sqs->ctx, each[i]->call);
        }
    }
    *d = (struct queue_depths){0};
}
