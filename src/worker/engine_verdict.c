/* What follows from DynamoDB's answer to a message's transaction. */
#include "engine_private.h"

#include "backoff.h"

#include <stdio.h>
#include <string.h>

static const int64_t PAUSE_BASE = 50 * MILLISECOND, PAUSE_CAP = 5 * MICROSECONDS;
static const unsigned GIVE_BACK_DELAY = 30;       /* seconds, for one that failed by itself with deliveries left */
static const unsigned TOKEN_LIFE = 10 * 60;       /* seconds that DynamoDB remembers a client request token */

void engine_pause(struct engine *e, struct job *job, enum job_state state, int64_t base, int64_t cap) {
    int64_t wait = base + backoff_full_jitter(e->ports->random, job->pauses, base, cap);
    job->pauses++;
    job_enter(job, state);
    timer_start(e->ports->timers, &job->timer, clock_monotonic(e->ports->clock) + wait);
}

/* The environment failed. Where DynamoDB has answered another message since this one began, it is no outage: a pause will do. */
static void environment_failed(struct engine *e, struct job *job, const struct verdict *v) {
    job->failed_by_itself = false;
    if (!e->hold.active && e->verdicts > job->verdicts_at_start) {
        engine_pause(e, job, JOB_PAUSED, PAUSE_BASE, PAUSE_CAP);
        return;
    }
    job_enter(job, JOB_HELD);
    hold_begin(e, v);
}

/* Failed twice the same way while another of its kind succeeded in between: it is the message. */
static void failed_alone(struct engine *e, struct job *job, const struct verdict *v) {
    if (e->options.can_give_back && job->receive_count < e->options.max_attempts) {
        job->give_back_seconds = GIVE_BACK_DELAY;
        job->give_back_why = "It fails by itself, and has deliveries left";
        engine_end(e, job, JOB_GIVE_BACK);
        return;
    }
    failure_database(&job->update->failure, v->code);
    engine_fail(e, job, true);
}

static void failed_by_itself(struct engine *e, struct job *job, const struct verdict *v) {
    char signature[sizeof job->signature];
    snprintf(signature, sizeof signature, "%.*s%s", (int)v->code.len, v->code.data, v->by_audit ? " of the audit record" : "");
    uint64_t successes = e->successes[job->update->audited];
    bool alike = job->failures_alike > 0 && !strcmp(signature, job->signature);
    if (alike && successes > job->successes_at_failure) {
        failed_alone(e, job, v);
        return;
    }
    if (!alike) {
        memcpy(job->signature, signature, sizeof signature);
        job->successes_at_failure = successes;
        job->failures_alike = 0;
        e->verdicts_at_own_failure = e->verdicts;
    }
    job->failures_alike++;
    job->failed_by_itself = true;
    e->last_own = (struct verdict){.kind = VERDICT_BY_ITSELF, .blame = v->blame};
    job_enter(job, JOB_HELD);
    hold_review(e);
}

/* Another of its kind succeeded: those that failed by themselves get the attempt that tells. */
static void wake_suspects(struct engine *e, bool audited) {
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_HELD]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (job->failed_by_itself && job->update->audited == audited && e->successes[audited] > job->successes_at_failure)
            job_enter(job, JOB_READY);
    }
}

static void warn_unknown_hash(struct engine *e, const struct job *job) {
    LOG_EVENT(e->ports->log, LOG_LEVEL_WARNING, "An audit record of an unknown version stands already: taken as applied",
              LOG_C("log_id", job->update->log_id));
}

/* DynamoDB's sentence, as far as it may be passed on: it names expressions and limits; what may name more is left out. */
static void set_refusal(struct failure *failure, const struct verdict *v) {
    bool names_resources = v->message.len && memmem(v->message.data, v->message.len, "arn:", 4);
    struct span reason = v->message.len && !names_resources ? v->message : SPAN("DynamoDB's validation refused it");
    bool by_condition = memmem(reason.data, reason.len, "ConditionExpression", 19) != NULL;
    failure_validation(failure, by_condition ? SPAN("condition_expression") : SPAN("attributes"), "%s%.*s",
                       v->by_audit ? "only the audit record is refused: " : "", (int)reason.len, reason.data);
}

static void refused(struct engine *e, struct job *job, const struct verdict *v) {
    set_refusal(&job->update->failure, v);
    job->pauses = 0;
    job_enter(job, JOB_LOOKING);
    look_begin(&e->look, false);
}

static void act_on(struct engine *e, struct job *job, const struct verdict *v) {
    struct update *u = job->update;
    switch (v->kind) {
    case VERDICT_APPLIED:
    case VERDICT_APPLIED_BEFORE: engine_end(e, job, JOB_APPLIED); break;
    case VERDICT_APPLIED_UNKNOWN:
        warn_unknown_hash(e, job);
        engine_end(e, job, JOB_APPLIED);
        break;
    case VERDICT_KEY_REUSED:
        update_fail_reused_key(u);
        engine_fail(e, job, false);
        break;
    case VERDICT_NOT_FOUND:
        failure_for_id(&u->failure, ERROR_RECORD_NOT_FOUND, u->id);
        engine_fail(e, job, true);
        break;
    case VERDICT_CONDITION_FALSE:
        failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
        engine_fail(e, job, true);
        break;
    case VERDICT_NAMED:
        failure_database(&u->failure, v->code);
        engine_fail(e, job, true);
        break;
    case VERDICT_REFUSED: refused(e, job, v); break;
    case VERDICT_BY_ITSELF: failed_by_itself(e, job, v); break;
    case VERDICT_CONFLICT: engine_pause(e, job, JOB_PAUSED, PAUSE_BASE, PAUSE_CAP); break;
    case VERDICT_NEW_TOKEN:
        update_next_token(e->context, u);
        job_enter(job, JOB_READY);
        break;
    case VERDICT_TOKEN_TAKEN:
        job->give_back_seconds = TOKEN_LIFE;
        job->give_back_why = "Its token was used for other bytes, and has to expire";
        engine_end(e, job, JOB_GIVE_BACK);
        break;
    case VERDICT_THROTTLED:
    case VERDICT_ENVIRONMENT: environment_failed(e, job, v); break;
    }
}

void engine_answered(struct engine *e, struct job *job, const struct transact_result *result) {
    struct verdict v = verdict_of(job->update, result);
    bool was_probe = job->is_probe, audited = job->update->audited;
    e->probes_running -= was_probe;
    job->is_probe = false;
    if (verdict_shows_health(v.kind)) {
        e->verdicts++;
        e->proven = true;
        if (v.kind == VERDICT_APPLIED) {
            e->successes[audited]++;
            wake_suspects(e, audited);
        }
        hold_end(e);
    }
    act_on(e, job, &v); /* job may be gone */
    if (was_probe && e->hold.active)
        hold_probe_failed(e, v.blame);
}

/* The tables were looked at: for those that DynamoDB refused, or as a probe where no message is held. */
static void on_looked(void *ctx, enum look_outcome outcome, const struct call_result *result) {
    struct engine *e = ctx;
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_LOOKING]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (outcome == LOOK_SAME) {
            engine_fail(e, job, true);
        } else if (outcome == LOOK_UNREADABLE) {
            engine_pause(e, job, JOB_LOOKING, MICROSECONDS, 30 * MICROSECONDS);
        } else {
            job->update->failure.type = ERROR_NONE; /* not its fault */
            job->failed_by_itself = false;
            job_enter(job, JOB_HELD);
            hold_begin(e, &(struct verdict){.kind = VERDICT_ENVIRONMENT, .code = SPAN("a table has changed since the start"), .blame = EXIT_SETTINGS});
        }
    }
    hold_looked(e, outcome, result);
    engine_pump(e);
    e->host.changed(e->host.ctx);
}

void engine_verdict_init(struct engine *e, const struct discovery_facts *facts) {
    look_init(&e->look, e->ports, facts, on_looked, e);
}
