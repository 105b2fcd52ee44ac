#include "redrive_private.h"

#include <stdlib.h>
#include <string.h>

/* How long keys of sent messages are remembered. SQS tells times in seconds: a message that comes back this early could
 * look as if it had been in the DLQ from the beginning. */
#define EARLY (10 * MICROSECONDS)

static void begin_pass(struct redrive *r, uint64_t counted);

static void report(void *user) {
    struct redrive *r = user;
    r->result.left_hidden = r->holds.lost + r->holds.count;
    const struct hold *hold;
    TAILQ_FOREACH(hold, &r->holds.returning, link) {
        r->result.left_hidden++;
    }
    if (!r->result.failure && r->holds.failure.class != CALL_OK) {
        r->failure = r->holds.failure;
        r->result.failure = &r->failure;
        r->result.failed_at = "Giving back what stays in the DLQ";
    }
    r->host.done(r->host.ctx, &r->result);
}

static void end(struct redrive *r) {
    if (r->ended)
        return;
    r->ended = true;
    timer_start(r->platform.timers, &r->end, redrive_now(r));
}

/* Nothing of it is under way. */
static bool is_idle(const struct redrive *r) {
    bool waits = !r->stopping && !TAILQ_EMPTY(&r->ready);
    return !r->reading && !waits && TAILQ_EMPTY(&r->sent) && r->sends_under_way == 0 && r->deletes_under_way == 0;
}

/* Messages that were ready, but won't be sent any more, stay in the DLQ. */
static void drop_ready(struct redrive *r) {
    for (struct parcel *p; (p = TAILQ_FIRST(&r->ready));) {
        TAILQ_REMOVE(&r->ready, p, link);
        p->hold->mark = MARK_PASSED;
        p->hold->owner = NULL;
        parcel_free(p);
    }
    r->ready_count = r->ready_bytes = 0;
}

static void finish(struct redrive *r) {
    r->returning = true;
    drop_ready(r);
    holds_return_all(&r->holds);
    if (holds_are_returned(&r->holds))
        end(r);
}

/* A pass is over. Messages that aren't meant hide what is behind them in their FIFO group; once others of the group
 * were moved, another pass sees more. */
static void end_pass(struct redrive *r) {
    bool limited = r->options.limit && r->result.counts.taken >= r->options.limit;
    bool worth = r->options.fifo && !r->stopping && !limited && r->result.counts.moved > r->moved_before_pass;
    if (!worth || !parcel_groups_reopen(r)) {
        finish(r);
        return;
    }
    begin_pass(r, SQS_COUNT_UNKNOWN);
}

/* Goes on with whatever can be gone on with. */
static void pump(struct redrive *r) {
    if (r->ended || r->returning)
        return;
    redrive_pump_deletes(r);
    redrive_pump_sends(r);
    /* What is on its way back is visible by then. */
    if (r->reading && (r->stopping || holds_are_returned(&r->holds)))
        dlq_reader_pump(&r->reader);
    else if (is_idle(r) && holds_are_returned(&r->holds))
        end_pass(r);
}

static void on_wake(void *user) {
    pump(user);
}

static void on_returned(void *ctx) {
    struct redrive *r = ctx;
    if (r->returning && holds_are_returned(&r->holds))
        end(r);
    else
        pump(r);
}

static void on_read(void *ctx, const struct call_result *result) {
    struct redrive *r = ctx;
    r->reading = false;
    if (result)
        redrive_give_up(r, result, "Receiving from the DLQ");
    redrive_wake_at(r, redrive_now(r));
}

static bool took(void *ctx, struct sqs_message *m) {
    struct redrive *r = ctx;
    bool fresh = redrive_took(r, m);
    bool limited = r->options.limit && r->result.counts.taken >= r->options.limit;
    if (limited || r->result.full)
        dlq_reader_stop(&r->reader);
    redrive_wake_at(r, redrive_now(r));
    return fresh;
}

static bool is_settled(void *ctx, uint64_t *ret_deleted) {
    const struct redrive *r = ctx;
    *ret_deleted = r->result.counts.moved;
    return TAILQ_EMPTY(&r->ready) && TAILQ_EMPTY(&r->sent) && r->sends_under_way == 0 && r->deletes_under_way == 0;
}

static void begin_pass(struct redrive *r, uint64_t counted) {
    const struct dlq_reader_kind kind = {.queue_url = r->options.dlq_url,
                                         .visibility_seconds = HOLDS_VISIBILITY,
                                         .fifo = r->options.fifo,
                                         .counted = counted,
                                         .room = redrive_room,
                                         .took = took,
                                         .is_settled = r->options.fifo ? is_settled : NULL,
                                         .ended = on_read,
                                         .ctx = r};
    dlq_reader_done(&r->reader);
    dlq_reader_init(&r->reader, &r->platform, &kind);
    r->reading = true;
    r->moved_before_pass = r->result.counts.moved;
    redrive_wake_at(r, redrive_now(r));
}

struct redrive *redrive_start(const struct dlq_platform *platform, const struct redrive_options *options,
                              const struct redrive_host *host) {
    struct redrive *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->platform = *platform;
    r->options = *options;
    r->host = *host;
    TAILQ_INIT(&r->ready);
    TAILQ_INIT(&r->sent);
    TAILQ_INIT(&r->undeleted);
    for (size_t i = 0; i < GROUP_BUCKETS; i++)
        LIST_INIT(&r->groups[i]);
    r->hash_seed[0] = random_next(platform->random);
    r->hash_seed[1] = random_next(platform->random);
    r->early.seed[0] = random_next(platform->random);
    r->early.seed[1] = random_next(platform->random);
    r->early_until = redrive_now(r) + EARLY;
    limiter_init(&r->limiter, options->rate, redrive_now(r));
    holds_init(&r->holds, &r->platform, options->dlq_url, on_returned, r);
    timer_init(&r->wake, on_wake, r);
    timer_init(&r->end, report, r);
    begin_pass(r, options->counted);
    return r;
}

void redrive_stop(struct redrive *r) {
    if (r->stopping) {
        end(r);
        return;
    }
    redrive_give_up(r, NULL, NULL);
    redrive_wake_at(r, redrive_now(r));
}

static void free_flights(struct redrive *r, struct redrive_flight *flights) {
    const struct sqs_api *sqs = r->platform.sqs;
    for (size_t i = 0; i < REDRIVE_FLIGHTS; i++) {
        if (!flights[i].call)
            continue;
        sqs->cancel(sqs->ctx, flights[i].call);
        for (size_t k = 0; k < flights[i].count; k++)
            parcel_free(flights[i].parcels[k]);
    }
}

static void free_list(struct parcel_list *list) {
    for (struct parcel *p; (p = TAILQ_FIRST(list));) {
        TAILQ_REMOVE(list, p, link);
        parcel_free(p);
    }
}

void redrive_free(struct redrive *r) {
    if (!r)
        return;
    timer_stop(r->platform.timers, &r->wake);
    timer_stop(r->platform.timers, &r->end);
    dlq_reader_done(&r->reader);
    free_flights(r, r->sends);
    free_flights(r, r->deletes);
    free_list(&r->ready);
    free_list(&r->sent);
    free_list(&r->undeleted);
    parcel_groups_free(r);
    holds_free(&r->holds);
    key_set_free(&r->early);
    free(r);
}
