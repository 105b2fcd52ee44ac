/* What follows from DynamoDB's answer to a message's transaction. */
#include "applier_private.h"

#include "backoff.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const int64_t PAUSE_BASE = 50 * MILLISECOND, PAUSE_CAP = 5 * MICROSECONDS;
static const int64_t LOOK_BASE = MICROSECONDS, LOOK_CAP = 30 * MICROSECONDS;
static const unsigned TOKEN_LIFE = 10 * 60; /* seconds that DynamoDB remembers a client request token */

void applier_pause(struct applier *e, struct job *job, enum job_state state, int64_t base, int64_t cap) {
    int64_t wait = base + backoff_full_jitter(e->platform->random, job->pauses, base, cap);
    job->pauses++;
    job_enter(job, state);
    timer_start(e->platform->timers, &job->timer, clock_monotonic(e->platform->clock) + wait);
}

void applier_retry_later(struct applier *e, struct job *job) {
    applier_pause(e, job, JOB_PAUSED, PAUSE_BASE, PAUSE_CAP);
}

void applier_retry_in(struct applier *e, struct job *job, int64_t wait) {
    job_enter(job, JOB_PAUSED);
    timer_start(e->platform->timers, &job->timer, clock_monotonic(e->platform->clock) + wait);
}

static void environment_failed(struct applier *e, struct job *job, const struct verdict *v) {
    if (job->failed_as == VERDICT_APPLIED)
        applier_stranger(e);
    job->failed_as = v->kind;
    job_enter(job, JOB_STALLED);
    applier_open_breaker(e, v);
}

static struct rated_attempt rated_attempt(const struct applier *e, const struct job *job) {
    return (struct rated_attempt){.record = record_queue_hash(job), .attempt = job->started, .attempts = e->attempts};
}

static void throttled(struct applier *e, struct job *job, const struct verdict *v, const struct call_result *result) {
    int64_t now = clock_monotonic(e->platform->clock);
    struct rated_attempt answer = rated_attempt(e, job);
    int64_t wait = adaptive_rate_throttled(&e->adaptive_rate, &answer, e->platform->random, now);
    int64_t asked = heeded_wait(result);
    if (e->breaker.trouble.active || !e->proven || adaptive_rate_is_starved(&e->adaptive_rate, now))
        environment_failed(e, job, v);
    else
        applier_retry_in(e, job, wait > asked ? wait : asked);
}

static void warn_unknown_hash(struct applier *e, const struct job *job) {
    LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING,
              "An audit record of an unknown version stands already: taken as applied",
              LOG_C("log_id", job->update->log_id));
}

/* DynamoDB has looked at what the message asks for, so that whatever failed before has passed. */
static void forget_own_failures(struct job *job) {
    job->failures_alike = job->tries = job->row = 0;
    job->failed_as = VERDICT_APPLIED;
}

void applier_refused(struct applier *e, struct job *job, const struct verdict *v) {
    update_fail_refused(e->context, job->update, v->message, v->by_audit);
    job->quotes_dynamodb = true;
    applier_look_first(e, job);
}

static void act_on(struct applier *e, struct job *job, const struct verdict *v, const struct call_result *result) {
    struct update *u = job->update;
    if (v->kind == VERDICT_NOT_FOUND || v->kind == VERDICT_CONDITION_FALSE || v->kind == VERDICT_REFUSED)
        forget_own_failures(job);
    switch (v->kind) {
    case VERDICT_APPLIED:
    case VERDICT_APPLIED_BEFORE: applier_end(e, job, JOB_APPLIED); break;
    case VERDICT_APPLIED_UNKNOWN:
        warn_unknown_hash(e, job);
        applier_end(e, job, JOB_APPLIED);
        break;
    case VERDICT_KEY_REUSED:
        update_fail_reused_key(u);
        applier_fail(e, job, false);
        break;
    case VERDICT_NOT_FOUND:
        update_fail_condition(u, false);
        applier_fail(e, job, true);
        break;
    case VERDICT_CONDITION_FALSE:
        update_fail_condition(u, true);
        applier_fail(e, job, true);
        break;
    case VERDICT_NAMED:
        failure_database(&u->failure, v->code);
        applier_fail(e, job, true);
        break;
    case VERDICT_REFUSED: applier_refused(e, job, v); break;
    case VERDICT_REFUSED_VAGUELY: applier_failed_by_itself(e, job, v); break;
    case VERDICT_NO_ANSWER: applier_got_no_answer(e, job, v); break;
    case VERDICT_BY_ITSELF: applier_failed_perhaps_by_itself(e, job, v, result); break;
    case VERDICT_CONFLICT: applier_retry_later(e, job); break;
    case VERDICT_NEW_TOKEN:
        update_next_token(e->context, u);
        applier_retry_later(e, job);
        break;
    case VERDICT_TOKEN_TAKEN:
        job->return_seconds = TOKEN_LIFE;
        job->return_why = "Its token was used for other bytes, and has to expire";
        applier_end(e, job, JOB_RETURN);
        break;
    case VERDICT_THROTTLED: throttled(e, job, v, result); break;
    case VERDICT_ENVIRONMENT: environment_failed(e, job, v); break;
    }
}

void applier_answered(struct applier *e, struct job *job, const struct transact_result *result) {
    struct verdict v = verdict_of(job->update, result);
    bool was_probe = job->is_probe, audited = job->update->audited;
    int64_t now = clock_monotonic(e->platform->clock);
    static_assert(VERDICT_ENVIRONMENT + 1 == METRICS_VERDICTS && VERDICT_THROTTLED == METRICS_VERDICT_THROTTLED,
                  "each kind is counted");
    metrics_transaction(e->platform->metrics, v.kind, now - job->tried_at);
    e->probes_running -= was_probe;
    job->is_probe = false;
    if (verdict_shows_health(v.kind)) {
        e->verdicts++;
        e->verdict_at = now;
        e->proven = true;
        breaker_worked(&e->breaker);
        struct rated_attempt answer = rated_attempt(e, job);
        adaptive_rate_admitted(&e->adaptive_rate, &answer, e->platform->random, e->verdict_at);
        if (v.kind == VERDICT_APPLIED) {
            e->commits[audited]++;
            if (e->succeeded[audited] < job->started)
                e->succeeded[audited] = job->started;
            applier_wake_suspects(e, audited);
        }
        applier_close_breaker(e);
    } else {
        e->failures++;
        applier_note_cause(e, &v);
        bool tells = verdict_may_be_its_own(v.kind) && v.kind != VERDICT_THROTTLED;
        job->failed_with = tells && job->verdicts_at_start == e->verdicts ? e->verdicts + 1 : 0;
    }
    act_on(e, job, &v, &result->call); /* job may be gone */
    if (was_probe && e->breaker.trouble.active)
        applier_probe_failed(e, v.cause);
}

static void log_unjudged(struct applier *e, enum look_outcome outcome, const struct call_result *result) {
    enum cause cause = outcome == LOOK_CHANGED ? CAUSE_CHANGED : cause_of(result);
    if (!applier_cannot_confirm(e, cause, outcome == LOOK_CHANGED ? "a table has changed" : call_word(result)))
        return;
    LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING,
              outcome == LOOK_CHANGED ? "What DynamoDB refuses waits: a table's key has changed since the start, or "
                                        "the table is gone; a restart goes by what there is"
                                      : "What DynamoDB refuses waits: the tables can't be described",
              LOG_C("table", e->context->table->name), LOG_C("audit_table", e->context->audit_table),
              LOG_C("code", result->code[0] ? result->code : "none"));
}

void applier_look_first(struct applier *e, struct job *job) {
    job->pauses = 0;
    job_enter(job, JOB_LOOKING);
    look_begin(&e->look, false);
}

/* Our own check refused the job because of an index's key, and the tables were looked at: the job is read again, by the
 * indexes that there are now. */
static void judge_of_index(struct applier *e, struct job *job, enum look_outcome outcome) {
    if (outcome != LOOK_SAME || !e->host.read_again(e->host.ctx, job)) {
        applier_pause(e, job, JOB_LOOKING, LOOK_BASE, LOOK_CAP);
        return;
    }
    job->in_record.key = job->update->record; /* the same bytes at another address */
    if (job->update->failure.type == ERROR_NONE)
        job_enter(job, JOB_READY);
    else
        applier_fail(e, job, job->update->confirm_refusal); /* it may have been applied before the index was there */
}

/* DynamoDB refused the job, and the tables were looked at. */
static void judge_refused(struct applier *e, struct job *job, enum look_outcome outcome) {
    if (job->update->of_index) {
        judge_of_index(e, job, outcome);
    } else if (outcome != LOOK_SAME) {
        job->refused_by_changed = job->refused_by_changed || outcome == LOOK_CHANGED;
        applier_pause(e, job, JOB_LOOKING, LOOK_BASE, LOOK_CAP);
    } else if (job->refused_by_changed) {
        job->refused_by_changed = job->quotes_dynamodb = false; /* perhaps the table's fault: it is tried anew */
        job->update->failure.type = ERROR_NONE;
        job_enter(job, JOB_READY);
    } else {
        applier_fail(e, job, true);
    }
}

/* The tables were looked at: for refused jobs, or as a probe where there is no message to try. */
static void on_looked(void *ctx, enum look_outcome outcome, const struct call_result *result) {
    struct applier *e = ctx;
    if (outcome != LOOK_SAME && e->counts[JOB_LOOKING])
        log_unjudged(e, outcome, result);
    /* Each job moves to the end of this list or to another list, so that each is judged once. */
    for (unsigned left = e->counts[JOB_LOOKING]; left > 0 && e->counts[JOB_LOOKING]; left--)
        judge_refused(e, TAILQ_FIRST(&e->lists[JOB_LOOKING]), outcome);
    applier_confirmed(e);
    applier_looked(e, outcome, result);
    applier_turn(e);
    e->host.changed(e->host.ctx);
}

void applier_outcome_init(struct applier *e, const struct discovery_facts *facts) {
    look_init(&e->look, e->platform, facts, on_looked, e);
}
