/* `run --until-empty`: when is the work done, when can it not be done? Looked at once a second. */
#include "queue_worker_private.h"

#include <stdio.h>

static const int64_t TICK = MICROSECONDS;
static const int64_t COUNT_DEADLINE = 4 * MICROSECONDS;
static const int64_t TOLD_AFTER = 4 * MICROSECONDS; /* so that a job says within five seconds what it waits for */
static const unsigned COUNTS_IN_A_ROW = 2;
static const unsigned STUBBORN_DELAY = 30; /* seconds */

static void schedule(struct queue_worker *w) {
    timer_start(w->platform.timers, &w->queue_end.tick, clock_monotonic(w->platform.clock) + TICK);
}

/* A fault of the environment: what fails, why where that is known, and the exit code for it. */
struct lost {
    const char *what, *cause;
    enum exit_code blame;
};

/* Whether one has lasted too long. */
static bool environment_is_lost(const struct queue_worker *w, struct lost *ret_lost) {
    const struct applier *e = &w->applier;
    const struct queue_end *u = &w->queue_end;
    int64_t since = clock_monotonic(w->platform.clock) - UNTIL_EMPTY_PATIENCE;
    if (e->breaker.active && e->breaker.since <= since)
        *ret_lost = (struct lost){"DynamoDB", e->breaker.cause, e->breaker.blame};
    else if (w->receiver.failures > 0 && w->receiver.failing_since <= since)
        *ret_lost = (struct lost){"Receiving", w->receiver.cause, w->receiver.blame};
    else if (applier_unconfirmed(e) > 0 && e->unconfirmed_logged && e->unconfirmed_since <= since)
        *ret_lost = (struct lost){"Confirming failures", "", e->confirm_blame};
    else if (applier_suspects_since(e) <= since)
        *ret_lost = (struct lost){"DynamoDB, for each message that is left", "", e->last_own.blame};
    else if (u->count_failures > 0 && u->failing_since <= since)
        *ret_lost = (struct lost){"Counting the messages", u->cause, u->blame};
    else
        return false;
    return true;
}

/* The same for what is done in batches. */
static bool batches_are_lost(const struct queue_worker *w, struct lost *ret_lost) {
    const struct batcher *batchers[] = {&w->dead_letters, &w->removals, &w->visibilities};
    int64_t since = clock_monotonic(w->platform.clock) - UNTIL_EMPTY_PATIENCE;
    for (size_t i = 0; i < ARRAY_LENGTH(batchers); i++)
        if (batcher_troubled_since(batchers[i], since)) {
            *ret_lost = (struct lost){batchers[i]->kind.what, "", batchers[i]->blame};
            return true;
        }
    return false;
}

/* Whether all that is in flight fails as if by its own fault, or stands behind such. */
static bool is_stubborn(const struct queue_worker *w) {
    unsigned inside = w->message_counts[MESSAGE_APPLYING] + w->message_counts[MESSAGE_WAITING];
    return messages_in_flight(w) > 0 && messages_in_flight(w) == inside && applier_only_stubborn(&w->applier);
}

/* Nothing is left but messages that fail for good, and nothing succeeds that would tell whether it is their own fault:
 * they are delivered again until each had all its deliveries; then that's the end. */
static void settle_stubborn(struct queue_worker *w) {
    bool all_tried = true;
    struct message *m, *next;
    TAILQ_FOREACH(m, &w->messages[MESSAGE_APPLYING], in_state) {
        all_tried = all_tried && m->received->receive_count >= w->options.max_attempts;
    }
    for (m = TAILQ_FIRST(&w->messages[MESSAGE_APPLYING]); m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        if (all_tried)
            LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR,
                      "Left on the queue: it fails, and nothing succeeds that would tell whether it is its own fault",
                      LOG_S("message_id", m->received->message_id), LOG_C("failure", m->job.signature),
                      LOG_I("receive_count", m->received->receive_count));
        else if (m->received->receive_count < w->options.max_attempts) {
            applier_withdraw(&w->applier, &m->job);
            message_return(m, STUBBORN_DELAY, "It fails, has deliveries left, and nothing else is there");
        }
    }
    if (all_tried)
        shutdown_begin(w, EXIT_SOME_FAILED);
}

static void judge(struct queue_worker *w, const struct sqs_queue_attributes *counts) {
    struct queue_end *u = &w->queue_end;
    int64_t now = clock_monotonic(w->platform.clock);
    bool empty = messages_in_flight(w) == 0 && w->receiver.last_was_empty && !counts->visible && !counts->in_flight &&
                 !counts->delayed;
    /* On a FIFO queue those behind a group's first are visible, and can't be received. */
    bool none_comes = w->fifo ? w->receiver.last_was_empty : !counts->visible;
    bool lonely = is_stubborn(w) && none_comes && !counts->delayed && counts->in_flight <= messages_in_flight(w);
    u->lonely_counts = lonely ? u->lonely_counts + 1 : 0;
    if (!empty)
        u->empty_counts = 0;
    else if (u->empty_counts++ == 0)
        u->empty_since = now;
    if (u->empty_counts >= COUNTS_IN_A_ROW &&
        now - u->empty_since >= (int64_t)w->options.until_empty_seconds * MICROSECONDS)
        shutdown_begin(w, EXIT_FINE);
    else if (u->lonely_counts >= COUNTS_IN_A_ROW) {
        u->lonely_counts = 0;
        settle_stubborn(w);
    }
}

static void on_counts(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct queue_worker *w = user;
    w->queue_end.call = NULL;
    if (w->phase != PHASE_WORKING)
        return;
    struct queue_end *u = &w->queue_end;
    if (result->class == CALL_OK && attributes && sqs_counts_told(attributes)) {
        u->count_failures = 0;
        judge(w, attributes);
        return;
    }
    u->empty_counts = u->lonely_counts = 0;
    u->blame = result->class == CALL_OK ? EXIT_UNREACHABLE : blame_of(result);
    struct verdict why = verdict_of_call(result);
    if (result->class == CALL_OK)
        snprintf(u->cause, sizeof u->cause, "its answer holds no counts");
    else
        verdict_describe(&why, u->cause);
    if (u->count_failures++ > 0)
        return;
    u->failing_since = clock_monotonic(w->platform.clock);
    LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
              "The queue's messages can't be counted, so that its end isn't seen; trying again",
              LOG_C("queue", w->facts->queue.name), LOG_C("code", u->cause[0] ? u->cause : "no answer"),
              LOG_I("status", result->status));
}

/* What fails while something else worked opens no breaker, and nobody else says what is waited for. */
static void tell_of_suspects(struct queue_worker *w) {
    struct queue_end *u = &w->queue_end;
    int64_t since = applier_suspects_since(&w->applier);
    bool now = since <= clock_monotonic(w->platform.clock) - TOLD_AFTER;
    if (now && !u->suspects_told)
        LOG_EVENT(
            w->platform.log, LOG_LEVEL_WARNING,
            "Waiting: what is left fails, and nothing of its kind succeeds that would tell whether it is its own fault",
            LOG_I("messages", w->applier.counts[JOB_STALLED]),
            LOG_C("failure", TAILQ_FIRST(&w->applier.lists[JOB_STALLED])->signature));
    u->suspects_told = since != NEVER && (u->suspects_told || now);
}

static void on_tick(void *user) {
    struct queue_worker *w = user;
    struct queue_end *u = &w->queue_end;
    struct lost lost = {0};
    schedule(w);
    if (environment_is_lost(w, &lost) || batches_are_lost(w, &lost)) {
        LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR, "Giving up: the environment has failed for ten minutes",
                  LOG_C("what", lost.what), LOG_C("cause", lost.cause[0] ? lost.cause : "see above"));
        shutdown_begin(w, lost.blame);
        return;
    }
    tell_of_suspects(w);
    bool may_be_empty = messages_in_flight(w) == 0 && w->receiver.last_was_empty && w->receiver.failures == 0;
    if (u->call || !(may_be_empty || is_stubborn(w)))
        return;
    const struct sqs_api *sqs = w->platform.sqs;
    struct call_options options = {.deadline = clock_monotonic(w->platform.clock) + COUNT_DEADLINE};
    u->call = sqs->get_attributes(sqs->ctx, w->facts->queue.url, &options, on_counts, w);
}

void queue_end_init(struct queue_worker *w) {
    timer_init(&w->queue_end.tick, on_tick, w);
    if (w->options.until_empty)
        schedule(w);
}

void queue_end_stop(struct queue_worker *w) {
    timer_stop(w->platform.timers, &w->queue_end.tick);
    if (w->queue_end.call)
        w->platform.sqs->cancel(w->platform.sqs->ctx, w->queue_end.call);
    w->queue_end.call = NULL;
}

void queue_end_report(const struct queue_worker *w) {
    if (w->options.until_empty && w->totals.dead_lettered > 0)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING, "Messages went to the DLQ",
                  LOG_I("messages", w->totals.dead_lettered), LOG_C("dlq", w->facts->dlq.name));
}

void queue_end_message(struct queue_worker *w) {
    w->queue_end.empty_counts = w->queue_end.lonely_counts = 0;
}
