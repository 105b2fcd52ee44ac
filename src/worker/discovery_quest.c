/* How a quest goes on: found, ended with a problem, or tried again. */
#include "discovery_private.h"

#include "backoff.h"
#include "verdict.h"

#include <stdio.h>
#include <string.h>

static const int64_t RETRY_BASE = 500 * MILLISECOND, RETRY_CAP = 10 * MICROSECONDS;

void discovery_end(struct discovery *d) {
    if (d->ended)
        return;
    d->ended = true;
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        timer_stop(d->platform.timers, &q->timer);
        if (q->open)
            d->outcome = outcome_worse(d->outcome, outcome_by(CAUSE_UNREACHABLE));
    }
    timer_start(d->platform.timers, &d->end_timer, clock_monotonic(d->platform.clock));
}

/* Ends the discovery where all quests have ended, or where there is a problem and only services that can't be reached
 * are left. */
static void review(struct discovery *d) {
    bool open = false, waiting = false;
    for (size_t i = 0; i < QUESTS; i++) {
        open = open || d->quests[i].open;
        waiting = waiting || (d->quests[i].open && !d->quests[i].unreachable);
    }
    if (!open && outcome_is_well(d->outcome))
        discovery_finish(d->platform.log, &d->options, &d->facts);
    if (!open || (!outcome_is_well(d->outcome) && !waiting))
        discovery_end(d);
}

void quest_settle(struct quest *q, struct outcome outcome) {
    struct discovery *d = q->discovery;
    bool well = outcome_is_well(outcome);
    if (q->tries > 0 && well)
        LOG_EVENT(d->platform.log, LOG_LEVEL_INFO, "Reached at last", LOG_C("setting", q->setting));
    q->open = q->unreachable = false;
    d->outcome = outcome_worse(d->outcome, outcome);
    if (q->kind == QUEST_QUEUE && !well && !d->options.dlq)
        d->quests[QUEST_DLQ].open = false; /* there is nothing to take it from */
    if (q->kind <= QUEST_AUDIT_TABLE && !well)
        d->quests[QUEST_TRIAL].open = false; /* there is nothing to try it on */
    review(d);
}

void quest_found(struct quest *q, bool fits) {
    quest_settle(q, fits ? outcome_of(ENDED_WELL) : outcome_by(CAUSE_UNFIT));
}

static const char *waiting_text(const struct quest *q, const struct call_result *result) {
    if (result->untrusted)
        return "Waiting: the server's certificate can't be trusted";
    return q->kind == QUEST_TRIAL ? "Waiting: the transaction at the start, which changes nothing, can't be tried yet"
                                  : "Waiting: the service can't be reached";
}

void quest_try_again(struct quest *q, const struct call_result *result) {
    struct discovery *d = q->discovery;
    int64_t now = clock_monotonic(d->platform.clock);
    const char *why = result->from_service || result->foreign ? call_word(result) : result->message;
    (void)snprintf(q->why, sizeof q->why, "%s", why);
    (void)trouble_note_call(&q->trouble, now, result);
    if (trouble_tell(&q->trouble, now, result->untrusted ? "untrusted" : call_word(result)))
        LOG_EVENT(d->platform.log, LOG_LEVEL_WARNING, waiting_text(q, result), LOG_C("setting", q->setting),
                  LOG_C("service", quest_service(q)), LOG_C("why", why[0] ? why : "no answer"),
                  LOG_I("status", result->status));
    int64_t at = now + RETRY_BASE + backoff_full_jitter(d->platform.random, q->tries++, RETRY_BASE, RETRY_CAP);
    q->unreachable = true;
    timer_start(d->platform.timers, &q->timer, at < d->give_up_at ? at : d->give_up_at);
    review(d);
}

const char *quest_given(const struct quest *q) {
    const struct discovery_options *o = &q->discovery->options;
    switch (q->kind) {
    case QUEST_TABLE:
    case QUEST_TRIAL: return o->table;
    case QUEST_AUDIT_TABLE: return o->audit_table;
    case QUEST_QUEUE: return o->queue;
    default: return o->dlq ? o->dlq : q->discovery->facts.queue.attributes.dead_letter_target_arn;
    }
}

bool quest_is_missing(const struct call_result *result) {
    return strstr(result->code, "ResourceNotFound") || strstr(result->code, "NonExistentQueue") ||
           strstr(result->code, "QueueDoesNotExist");
}

/* A call of a quest failed. */
void quest_failed(struct quest *q, const struct call_result *result) {
    struct log *log = q->discovery->platform.log;
    if (!result->from_service || result->class == CALL_RETRY || result->class == CALL_THROTTLED) {
        if (result->class == CALL_AUTH) {
            LOG_EVENT(
                log, LOG_LEVEL_ERROR,
                "There are no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
                LOG_C("why", result->message));
            quest_settle(q, outcome_by(CAUSE_CREDENTIALS));
        } else {
            quest_try_again(q, result);
        }
        return;
    }
    enum cause cause = cause_of(result);
    if (quest_is_missing(result)) {
        char text[160];
        snprintf(text, sizeof text,
                 "%s names a %s that doesn't exist: create it, or mend the name, the account or the region", q->setting,
                 quest_is_of_dynamodb(q->kind) ? "table" : "queue");
        LOG_EVENT(log, LOG_LEVEL_ERROR, text, LOG_C("given", quest_given(q)));
        cause = CAUSE_MISSING;
    } else if (cause_is_of_permission(cause)) {
        LOG_EVENT(
            log, LOG_LEVEL_ERROR,
            q->kind == QUEST_AUDIT_TABLE && result->class == CALL_DENIED
                ? "AWS doesn't permit a look at the audit table: allow dynamodb:DescribeTable on it, for whether it is "
                  "there decides what becomes of messages that ask for an audit record"
                : "AWS doesn't permit it: check the credentials and their policy",
            LOG_C("setting", q->setting), LOG_C("given", quest_given(q)), LOG_C("code", result->code));
    } else {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "AWS refuses the request for the table or queue that a setting names",
                  LOG_C("setting", q->setting), LOG_C("given", quest_given(q)), LOG_C("code", result->code));
    }
    quest_settle(q, outcome_by(cause));
}

void quest_no_memory(struct quest *q) {
    quest_try_again(q, &(struct call_result){.class = CALL_RETRY, .message = "no memory"});
}

void quest_ask_soon(struct quest *q) {
    struct discovery *d = q->discovery;
    timer_start(d->platform.timers, &q->timer, clock_monotonic(d->platform.clock));
}
