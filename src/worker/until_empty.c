#include "until_empty.h"

#include "queue_worker.h"

static const int64_t TICK = MICROSECONDS;
static const int64_t COUNT_DEADLINE = 4 * MICROSECONDS;

static void schedule(struct until_empty *u) {
    timer_start(u->platform->timers, &u->tick, clock_monotonic(u->platform->clock) + TICK);
}

static void count_failed(struct until_empty *u, const struct call_result *result) {
    int64_t now = clock_monotonic(u->platform->clock);
    queue_end_reset(&u->end);
    bool begins = result->class == CALL_OK
                      ? trouble_note(&u->trouble, now, CAUSE_UNREACHABLE, "its answer holds no counts")
                      : trouble_note_call(&u->trouble, now, result);
    if (begins)
        LOG_EVENT(u->platform->log, LOG_LEVEL_WARNING,
                  "The queue's messages can't be counted, so that its end isn't seen; trying again",
                  LOG_C("queue", u->queue->name), LOG_C("code", u->trouble.code[0] ? u->trouble.code : "no answer"),
                  LOG_I("status", result->status));
}

static void on_counts(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct until_empty *u = user;
    u->call = NULL;
    if (result->class != CALL_OK || !attributes || !sqs_counts_told(attributes)) {
        count_failed(u, result);
        return;
    }
    (void)trouble_end(&u->trouble);
    struct queue_end_view view = u->host.view(u->host.ctx);
    enum queue_end_verdict verdict = queue_end(&u->end, &view, attributes);
    if (verdict != QUEUE_GOES_ON)
        u->host.ended(u->host.ctx, verdict);
}

static void on_tick(void *user) {
    struct until_empty *u = user;
    struct lost_cause lost = {0};
    int64_t now = clock_monotonic(u->platform->clock), since = now - UNTIL_EMPTY_PATIENCE;
    schedule(u);
    bool is_lost = u->host.is_lost(u->host.ctx, since, &lost);
    if (!is_lost && trouble_lasts_since(&u->trouble, since)) {
        lost = (struct lost_cause){"Counting the messages", u->trouble.code, u->trouble.cause};
        is_lost = true;
    }
    if (is_lost) {
        LOG_EVENT(u->platform->log, LOG_LEVEL_ERROR, "Giving up: the environment has failed for ten minutes",
                  LOG_C("what", lost.what), LOG_C("cause", lost.code[0] ? lost.code : "see above"));
        u->host.lost(u->host.ctx, lost.cause);
        return;
    }
    u->host.tell(u->host.ctx);
    struct queue_end_view view = u->host.view(u->host.ctx);
    if (u->call || !(view.may_be_empty || view.only_stubborn))
        return;
    const struct sqs_api *sqs = u->platform->sqs;
    struct call_options options = {.deadline = now + COUNT_DEADLINE};
    u->call = sqs->get_attributes(sqs->ctx, u->queue->url, &options, on_counts, u);
}

void until_empty_start(struct until_empty *u, const struct platform *platform, const struct queue_facts *queue,
                       const struct until_empty_host *host) {
    *u = (struct until_empty){.platform = platform, .queue = queue, .host = *host};
    timer_init(&u->tick, on_tick, u);
    schedule(u);
}

void until_empty_stop(struct until_empty *u) {
    if (!u->platform)
        return;
    timer_stop(u->platform->timers, &u->tick);
    if (u->call)
        u->platform->sqs->cancel(u->platform->sqs->ctx, u->call);
    u->call = NULL;
}
