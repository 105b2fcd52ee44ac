/* What follows from DynamoDB's answer to a message's transaction. */
#include "engine_private.h"

#include "backoff.h"

#include <stdio.h>
#include <string.h>

static const int64_t PAUSE_BASE = 50 * MILLISECOND, PAUSE_CAP = 5 * MICROSECONDS;
static const unsigned FAILURES_WEIGHT = 8; /* successes that one other failure outweighs */
static const unsigned OWN_TRIES = 4;              /* as the AWS SDKs make them */
static const int64_t LOOK_BASE = MICROSECONDS, LOOK_CAP = 30 * MICROSECONDS;
static const unsigned GIVE_BACK_DELAY = 30;       /* seconds, for one that failed by itself with deliveries left */
static const unsigned TOKEN_LIFE = 10 * 60;       /* seconds that DynamoDB remembers a client request token */

void engine_pause(struct engine *e, struct job *job, enum job_state state, int64_t base, int64_t cap) {
    int64_t wait = base + backoff_full_jitter(e->ports->random, job->pauses, base, cap);
    job->pauses++;
    job_enter(job, state);
    timer_start(e->ports->timers, &job->timer, clock_monotonic(e->ports->clock) + wait);
}

void engine_retry_later(struct engine *e, struct job *job) {
    engine_pause(e, job, JOB_PAUSED, PAUSE_BASE, PAUSE_CAP);
}

void engine_retry_in(struct engine *e, struct job *job, int64_t wait) {
    job_enter(job, JOB_PAUSED);
    timer_start(e->ports->timers, &job->timer, clock_monotonic(e->ports->clock) + wait);
}

static void environment_failed(struct engine *e, struct job *job, const struct verdict *v) {
    job->failed_by_itself = false;
    job_enter(job, JOB_HELD);
    hold_begin(e, v);
}

static struct governed governed(const struct engine *e, const struct job *job) {
    return (struct governed){.record = record_lines_hash(job), .attempt = job->started, .attempts = e->attempts};
}

static void throttled(struct engine *e, struct job *job, const struct verdict *v, const struct call_result *result) {
    int64_t now = clock_monotonic(e->ports->clock);
    struct governed answer = governed(e, job);
    int64_t wait = governor_throttled(&e->governor, &answer, e->ports->random, now);
    int64_t asked = heeded_wait(result);
    if (e->hold.active || !e->proven || governor_is_starved(&e->governor, now))
        environment_failed(e, job, v);
    else
        engine_retry_in(e, job, wait > asked ? wait : asked);
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

/* Whether another of its kind has succeeded since it first failed: one begun after that. Those that were under way then may just have been
 * before the beginning of an outage. */
static bool worked_since(const struct engine *e, const struct job *job) {
    return e->succeeded[job->update->audited] > job->failed_after;
}

/* Whether others of its kind succeeded while it failed twice, and next to none failed: at the beginning of an outage most do. It is what
 * tells where all were begun together and no more will come: without a queue. Where there is one, a message waits for a success begun later: the last
 * successes before an outage are heard of in it. */
static bool failed_among_successes(const struct engine *e, const struct job *job) {
    uint64_t successes = e->commits[job->update->audited] - job->commits_before;
    uint64_t own = job->failures_alike + 1;
    uint64_t others = e->failures - job->failures_before - own;
    return others * FAILURES_WEIGHT < successes;
}

/* How it failed: twice the same way is twice the same of these. */
static void sign(const struct verdict *v, char ret_signature[static JOB_SIGNATURE_SIZE]) {
    snprintf(ret_signature, JOB_SIGNATURE_SIZE, "%.*s%s", (int)v->code.len, v->code.data, v->by_audit ? " of the audit record" : "");
}

static void failed_by_itself(struct engine *e, struct job *job, const struct verdict *v) {
    char signature[JOB_SIGNATURE_SIZE];
    sign(v, signature);
    bool alike = job->failures_alike > 0 && !strcmp(signature, job->signature);
    bool others_succeed = worked_since(e, job) || (!e->options.can_give_back && failed_among_successes(e, job));
    if (alike && others_succeed) {
        failed_alone(e, job, v);
        return;
    }
    if (!alike) {
        memcpy(job->signature, signature, sizeof signature);
        job->failed_after = e->attempts;
        job->commits_before = job->commits_at_start;
        job->failures_before = e->failures - 1;
        job->failures_alike = 0;
        e->verdicts_at_own_failure = e->verdicts;
    }
    job->failures_alike++;
    job->failed_by_itself = true;
    e->last_own = (struct verdict){.kind = VERDICT_BY_ITSELF, .blame = v->blame};
    e->hold.why.kind = VERDICT_BY_ITSELF; /* whatever began a hold that may be active */
    job_enter(job, JOB_HELD);
    /* Known suspects, and one that failed while others succeeded, stop nobody. */
    if (!alike && e->verdicts == job->verdicts_at_start)
        hold_begin(e, &e->last_own);
    hold_review(e);
}

/* A 500 among successes is mostly over at the next attempt: it counts only where it lasts, the second time as well. */
static void failed_perhaps_by_itself(struct engine *e, struct job *job, const struct verdict *v, const struct call_result *result) {
    bool others_work = e->verdicts > job->verdicts_at_start || (job->failures_alike > 0 && worked_since(e, job));
    if (result->class == CALL_RETRY && others_work && ++job->tries < OWN_TRIES) {
        char signature[JOB_SIGNATURE_SIZE];
        sign(v, signature);
        if (strcmp(signature, job->signature) != 0)
            job->failures_alike = 0; /* what failed before and fails again after this isn't the same way */
        engine_retry_later(e, job);
        return;
    }
    job->tries = 0;
    failed_by_itself(e, job, v);
}

/* Another of its kind succeeded: those that failed by themselves get the attempt that tells. */
static void wake_suspects(struct engine *e, bool audited) {
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_HELD]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (job->failed_by_itself && job->update->audited == audited && worked_since(e, job))
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

/* DynamoDB got as far as to look at what it asks for: whatever failed before has passed. */
static void forget_own_failures(struct job *job) {
    job->failures_alike = job->tries = 0;
    job->failed_by_itself = false;
}

static void refused(struct engine *e, struct job *job, const struct verdict *v) {
    set_refusal(&job->update->failure, v);
    job->quotes_dynamodb = true;
    job->pauses = 0;
    job_enter(job, JOB_LOOKING);
    look_begin(&e->look, false);
}

static void act_on(struct engine *e, struct job *job, const struct verdict *v, const struct call_result *result) {
    struct update *u = job->update;
    if (v->kind == VERDICT_NOT_FOUND || v->kind == VERDICT_CONDITION_FALSE || v->kind == VERDICT_REFUSED)
        forget_own_failures(job);
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
    case VERDICT_BY_ITSELF: failed_perhaps_by_itself(e, job, v, result); break;
    case VERDICT_CONFLICT: engine_retry_later(e, job); break;
    case VERDICT_NEW_TOKEN:
        update_next_token(e->context, u);
        engine_retry_later(e, job);
        break;
    case VERDICT_TOKEN_TAKEN:
        job->give_back_seconds = TOKEN_LIFE;
        job->give_back_why = "Its token was used for other bytes, and has to expire";
        engine_end(e, job, JOB_GIVE_BACK);
        break;
    case VERDICT_THROTTLED: throttled(e, job, v, result); break;
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
        e->verdict_at = clock_monotonic(e->ports->clock);
        e->proven = true;
        struct governed answer = governed(e, job);
        governor_admitted(&e->governor, &answer, e->ports->random, e->verdict_at);
        if (v.kind == VERDICT_APPLIED) {
            e->commits[audited]++;
            if (e->succeeded[audited] < job->started)
                e->succeeded[audited] = job->started;
            wake_suspects(e, audited);
        }
        hold_end(e);
    } else {
        e->failures++;
    }
    act_on(e, job, &v, &result->call); /* job may be gone */
    if (was_probe && e->hold.active)
        hold_probe_failed(e, v.blame);
}

static void log_unjudged(struct engine *e, enum look_outcome outcome, const struct call_result *result) {
    enum exit_code blame = outcome == LOOK_CHANGED ? EXIT_SETTINGS : blame_of(result);
    if (!engine_cannot_confirm(e, blame))
        return;
    LOG_EVENT(e->ports->log, LOG_LEVEL_WARNING,
              outcome == LOOK_CHANGED ? "What DynamoDB refuses waits: a table has changed since the start; a restart goes by its new shape"
                                      : "What DynamoDB refuses waits: the tables can't be described",
              LOG_C("table", e->context->table->name), LOG_C("audit_table", e->context->audit_table),
              LOG_C("code", result->code[0] ? result->code : "none"));
}

/* DynamoDB refused the job, and the tables were looked at. */
static void judge_refused(struct engine *e, struct job *job, enum look_outcome outcome) {
    if (outcome != LOOK_SAME) {
        job->refused_by_changed = job->refused_by_changed || outcome == LOOK_CHANGED;
        engine_pause(e, job, JOB_LOOKING, LOOK_BASE, LOOK_CAP);
    } else if (job->refused_by_changed) {
        job->refused_by_changed = job->quotes_dynamodb = false; /* the table's fault, perhaps: tried anew */
        job->update->failure.type = ERROR_NONE;
        job_enter(job, JOB_READY);
    } else {
        engine_fail(e, job, true);
    }
}

/* The tables were looked at: for those that DynamoDB refused, or as a probe where no message is held. */
static void on_looked(void *ctx, enum look_outcome outcome, const struct call_result *result) {
    struct engine *e = ctx;
    if (outcome != LOOK_SAME && e->counts[JOB_LOOKING])
        log_unjudged(e, outcome, result);
    /* Each goes to the end of this list or to another one. */
    for (unsigned left = e->counts[JOB_LOOKING]; left > 0 && e->counts[JOB_LOOKING]; left--)
        judge_refused(e, TAILQ_FIRST(&e->lists[JOB_LOOKING]), outcome);
    engine_confirmed(e);
    hold_looked(e, outcome, result);
    engine_pump(e);
    e->host.changed(e->host.ctx);
}

void engine_verdict_init(struct engine *e, const struct discovery_facts *facts) {
    look_init(&e->look, e->ports, facts, on_looked, e);
}
