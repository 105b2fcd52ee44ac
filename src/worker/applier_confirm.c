/* Confirms a failure that DynamoDB found, before the message goes to the DLQ: perhaps it was only out of order, or
 * another delivery has applied it. */
#include "applier_private.h"

#include <string.h>

static const int64_t CONFIRM_DEADLINE = 20 * MICROSECONDS;
static const unsigned TIES_MAX =
    SQS_BATCH_MAX; /* messages sent in one batch have the same time: they give way to each other, but not without end */
static const int64_t ORDER_STEP = 20 * MILLISECOND;
static const int64_t CONFIRM_BASE = MICROSECONDS, CONFIRM_CAP = 30 * MICROSECONDS;

bool applier_cannot_confirm(struct applier *e, enum cause cause, const char *why) {
    int64_t now = clock_monotonic(e->platform->clock);
    if (applier_unconfirmed(e) == 0)
        (void)trouble_end(&e->confirming);
    (void)trouble_note(&e->confirming, now, cause, "");
    return trouble_tell(&e->confirming, now, why);
}

void applier_confirmed(struct applier *e) {
    if (applier_unconfirmed(e) > 0 || !trouble_end(&e->confirming))
        return;
    log_event(e->platform->log, LOG_LEVEL_INFO, "Failures can be confirmed again", NULL);
}

static void log_unconfirmed(struct applier *e, const struct call_result *result) {
    if (!applier_cannot_confirm(e, cause_of(result), call_word(result)))
        return;
    LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING,
              "Failures can't be confirmed, and wait: the audit table can't be read",
              LOG_C("audit_table", e->context->audit_table), LOG_C("code", call_word(result)),
              LOG_I("status", result->status), call_why_field(result));
}

static void wait_to_confirm(struct applier *e, struct job *job) {
    applier_pause(e, job, JOB_CONFIRMING, CONFIRM_BASE, CONFIRM_CAP);
}

/* Whether it may have failed only because messages came in out of order. */
static bool depends_on_order(const struct applier *e, const struct job *job) {
    return e->host.may_be_overtaken && job->update->failure.type == ERROR_CONDITIONAL_CHECK && job->confirmations == 0;
}

/* Receives that are open together are answered in any order, so that an older update of the record may come in after a
 * younger one began. Where the younger one's condition is false, it is tried once more after the older one. Otherwise a
 * chain of updates, each of which expects the one before it, would break. */
static bool gives_way(struct applier *e, struct job *job) {
    if (!depends_on_order(e, job))
        return false;
    struct job *older = record_queue_give_way(&e->records, job, !job->gave_way && job->ways_given < TIES_MAX);
    if (!older)
        return false;
    job->ways_given++;
    if (!job->gave_way)
        job->applied_then = job->in_record.queue->applied;
    job->gave_way = true;
    job_enter(job, JOB_BLOCKED);
    job_enter(older, JOB_READY);
    return true;
}

bool applier_is_still_false(const struct job *job) {
    return job->gave_way && job->in_record.queue->applied == job->applied_then;
}

static void on_confirmed(void *user, const struct call_result *result, bool found, const char *request_hash) {
    struct job *job = user;
    struct applier *e = job->applier;
    job->call = NULL;
    if (result->class != CALL_OK) {
        log_unconfirmed(e, result);
        wait_to_confirm(e, job);
        e->host.changed(e->host.ctx);
        return;
    }
    enum job_outcome outcome = JOB_FAILED;
    job->confirmed_at = clock_monotonic(e->platform->clock);
    if (found)
        switch (update_compare_hash(job->update, span_cstr(request_hash))) {
        case HASH_UNKNOWN:
            LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING,
                      "An audit record of an unknown version stands already: taken as applied",
                      LOG_C("log_id", job->update->log_id));
            outcome = JOB_APPLIED;
            break;
        case HASH_SAME: outcome = JOB_APPLIED; break;
        case HASH_OTHER: update_fail_reused_key(job->update); break;
        }
    if (outcome == JOB_APPLIED || !gives_way(e, job))
        applier_end(e, job, outcome);
    applier_confirmed(e);
    applier_turn(e);
    e->host.changed(e->host.ctx);
}

void applier_confirm(struct applier *e, struct job *job) {
    if (gives_way(e, job))
        return;
    if (depends_on_order(e, job) && e->host.may_be_overtaken(e->host.ctx, job)) {
        timer_start(e->platform->timers, &job->timer, clock_monotonic(e->platform->clock) + ORDER_STEP);
        job->has_waited = true;
        return;
    }
    if (!job->update->audited && job->has_waited) {
        job->has_waited = false;
        job_enter(job, JOB_READY); /* another delivery may have applied it meanwhile: a try with its token tells */
        return;
    }
    if (!job->update->audited) {
        /* Another try of one that fails by itself would only fail again, whether it was applied or not: it isn't
         * confirmed later. */
        job->confirmed_at = job->update->failure.type == ERROR_DATABASE ? 0 : clock_monotonic(e->platform->clock);
        applier_end(e, job, JOB_FAILED);
        return;
    }
    const struct dynamodb_api *db = e->platform->dynamodb;
    if (job->pauses > 0 && !applier_may_read(e)) {
        wait_to_confirm(e, job);
        return;
    }
    int64_t now = clock_monotonic(e->platform->clock);
    struct call_options options = {.deadline = now + CONFIRM_DEADLINE, .max_attempts = job->pauses > 0 ? 1 : 0};
    buf_reset(&job->confirm_request);
    if (update_append_confirm_request(e->context, job->update, &job->confirm_request))
        job->call = db->get_item(db->ctx, buf_span(&job->confirm_request), &options, on_confirmed, job);
    if (!job->call)
        wait_to_confirm(e, job); /* no memory */
}

void applier_fail(struct applier *e, struct job *job, bool by_database) {
    if (!by_database) {
        applier_end(e, job, JOB_FAILED);
        return;
    }
    job->pauses = 0;
    job_enter(job, JOB_CONFIRMING);
    applier_confirm(e, job);
}
