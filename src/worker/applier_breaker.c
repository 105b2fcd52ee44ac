/* Does what the circuit breaker decides: its timer, the probes, the log. */
#include "applier_private.h"

/* Jobs that stalled go on this long after the breaker has closed, all at once: one by one, the first that fails would
 * stop the rest again. Not sooner: when an outage begins, successes from before it still come in among the failures. */
static const int64_t RELEASED_AFTER = 50 * MILLISECOND;

static int64_t now_of(const struct applier *e) {
    return clock_monotonic(e->platform->clock);
}

/* Sets the timer for what the breaker plans next; called after each change of the breaker. */
static void arm(struct applier *e) {
    int64_t next = breaker_next(&e->breaker);
    if (next == NEVER)
        timer_stop(e->platform->timers, &e->breaker_timer);
    else if (!e->breaker_timer.running || e->breaker_timer.due != next)
        timer_start(e->platform->timers, &e->breaker_timer, next);
}

/* Whether its answer may differ from the others' failures. A suspect that is tried again, and has failed since DynamoDB
 * last worked, is expected to fail once more, and wouldn't show an environment that works. */
static bool goes_on(const struct applier *e, const struct job *job) {
    return !job->is_probe && !(job_is_suspect(job) && job->failed_with == e->verdicts + 1);
}

/* Whether some job is under way, or waits for something else than a probe. */
static bool others_go_on(const struct applier *e) {
    static const enum job_state states[] = {JOB_READY, JOB_RUNNING, JOB_PAUSED};
    const struct job *job;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        TAILQ_FOREACH(job, &e->lists[states[i]], in_state) {
            if (goes_on(e, job))
                return true;
        }
    return e->counts[JOB_LOOKING] + e->counts[JOB_CONFIRMING] > applier_unconfirmed(e);
}

/* Suspects that only fail again, like all the others, wait with them for their turn to probe. */
static void stall_failing(struct applier *e, enum job_state state) {
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[state]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (!goes_on(e, job))
            job_enter(job, JOB_STALLED);
    }
}

static struct breaker_jobs jobs_of(const struct applier *e) {
    return (struct breaker_jobs){.ready = e->counts[JOB_READY],
                                 .stalled = e->counts[JOB_STALLED],
                                 .probes_running = e->probes_running,
                                 .others_go_on = others_go_on(e),
                                 .works_meanwhile = e->verdicts != e->verdicts_at_own_failure};
}

static struct job *first_that_may_start(struct applier *e, enum job_state state) {
    struct job *job;
    TAILQ_FOREACH(job, &e->lists[state], in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

static struct job *last_failed(struct applier *e) {
    struct job *job;
    TAILQ_FOREACH_REVERSE(job, &e->lists[JOB_STALLED], job_list, in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

static struct job *next_probe(struct applier *e) {
    struct job *job = breaker_probes_again(&e->breaker) ? last_failed(e) : NULL;
    if (!job && e->breaker.trouble.active)
        job = first_that_may_start(e, JOB_READY);
    return job ? job : first_that_may_start(e, JOB_STALLED);
}

static void probe(struct applier *e, int64_t now) {
    int64_t wait = 0;
    if (!breaker_may_probe(&e->breaker, e->probes_running))
        return;
    struct job *job = next_probe(e);
    if (job && !limiter_take(&e->limiter, now, &wait)) {
        breaker_delay_probe(&e->breaker, now + wait);
        return;
    }
    struct breaker_jobs jobs = jobs_of(e);
    switch (breaker_begin_probe(&e->breaker, &jobs, job != NULL, e->platform->random, now)) {
    case PROBE_MESSAGE: applier_start(e, job, true); break;
    case PROBE_TABLES: look_begin(&e->look, true); break;
    case PROBE_NONE: break;
    }
}

static void log_open(struct applier *e) {
    const struct breaker *b = &e->breaker;
    if (verdict_may_be_its_own(b->kind) && !b->paced)
        LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING,
                  e->options.can_return ? "Holding: every message held fails, and nothing else succeeds that would "
                                          "tell whether it is their own "
                                          "fault; one more is received now and then"
                                        : "Holding: what was begun fails, and nothing else succeeds that would tell "
                                          "whether it is its own fault",
                  LOG_I("messages", applier_count(e)), LOG_C("failure", b->trouble.code));
    else
        LOG_EVENT(
            e->platform->log, LOG_LEVEL_WARNING,
            e->options.can_return
                ? "Holding: DynamoDB fails for everyone; receiving has stopped, and nothing goes to the DLQ for it"
                : "Holding: DynamoDB fails for everyone; what was begun waits, and nothing more is begun",
            LOG_I("messages", applier_count(e)), LOG_C("code", b->trouble.code),
            LOG_C("kind", b->throttled ? "throttled" : "environment"));
}

/* Says that it holds. Where DynamoDB refuses all, the tables are looked at: a key that has changed is for an operator
 * to mend, and no refusal says so. */
static void announce(struct applier *e) {
    log_open(e);
    if (e->breaker.kind == VERDICT_REFUSED_VAGUELY)
        look_begin(&e->look, false);
}

static void on_breaker_timer(void *user) {
    struct applier *e = user;
    int64_t now = now_of(e);
    unsigned due = breaker_fall_due(&e->breaker, now);
    if (due & DUE_ANNOUNCEMENT && breaker_announces(&e->breaker))
        announce(e);
    if (due & DUE_PROBE)
        probe(e, now);
    arm(e);
    if (due & (DUE_EXTRA | DUE_PROBE)) /* the receiver then asks whether one more may come */
        e->host.changed(e->host.ctx);
}

void applier_breaker_init(struct applier *e) {
    timer_init(&e->breaker_timer, on_breaker_timer, e);
    breaker_init(&e->breaker, now_of(e));
}

void applier_breaker_stop(struct applier *e) {
    breaker_stop(&e->breaker);
    arm(e);
}

void applier_note_cause(struct applier *e, const struct verdict *why) {
    char code[VERDICT_TEXT_SIZE], before[VERDICT_TEXT_SIZE];
    verdict_describe(why, code);
    if (breaker_note_cause(&e->breaker, code, before))
        LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING, "Holding: the cause has changed", LOG_C("code", code),
                  LOG_C("before", before), LOG_I("seconds", (now_of(e) - e->breaker.trouble.since) / MICROSECONDS));
}

void applier_stranger(struct applier *e) {
    breaker_stranger(&e->breaker, now_of(e));
    arm(e);
}

bool applier_may_read(struct applier *e) {
    bool may = breaker_takes_read(&e->breaker, now_of(e));
    arm(e);
    return may;
}

void applier_joined(struct applier *e) {
    if (!e->breaker.trouble.active)
        return;
    breaker_joined(&e->breaker, now_of(e));
    arm(e);
}

void applier_open_breaker(struct applier *e, const struct verdict *why) {
    int64_t now = now_of(e);
    struct breaker_failure failure = {.kind = why->kind,
                                      .cause = why->cause,
                                      .starved = why->kind == VERDICT_THROTTLED &&
                                                 adaptive_rate_is_starved(&e->adaptive_rate, now),
                                      .worked_at = e->verdict_at};
    bool was_open = e->breaker.trouble.active;
    if (breaker_open(&e->breaker, &failure, e->platform->random, now))
        adaptive_rate_suspend(&e->adaptive_rate, e->attempts, now);
    if (e->breaker.trouble.active && !was_open) {
        stall_failing(e, JOB_READY);
        stall_failing(e, JOB_PAUSED);
    }
    arm(e);
}

void applier_review_breaker(struct applier *e) {
    if (e->counts[JOB_STALLED] == 0)
        return;
    struct breaker_jobs jobs = jobs_of(e);
    if (breaker_review(&e->breaker, &jobs, e->platform->random, now_of(e)))
        applier_open_breaker(e, &e->last_own);
    else
        arm(e);
}

void applier_close_breaker(struct applier *e) {
    struct breaker_closing closing;
    int64_t now;
    if (!e->breaker.trouble.active || !breaker_close(&e->breaker, now = now_of(e), &closing))
        return;
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_STALLED]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (!job_is_suspect(job))
            applier_retry_in(e, job, RELEASED_AFTER);
    }
    if (closing.rate_resumes)
        adaptive_rate_resume(&e->adaptive_rate, e->attempts, now);
    if (closing.announced)
        LOG_EVENT(e->platform->log, LOG_LEVEL_INFO,
                  e->proven
                      ? "DynamoDB works again; going on"
                      : "The tables can be described, and nothing is held: the next message shows whether DynamoDB "
                        "works again",
                  LOG_I("seconds", closing.seconds), LOG_I("probes", closing.probes));
    arm(e);
    applier_review_breaker(e);
}

void applier_probe_failed(struct applier *e, enum cause cause) {
    if (breaker_probe_failed(&e->breaker, cause, e->platform->random, now_of(e)))
        announce(e);
    arm(e);
}

void applier_looked(struct applier *e, enum look_outcome outcome, const struct call_result *result) {
    if (!e->breaker.looking) {
        if (e->breaker.trouble.active && outcome == LOOK_CHANGED && e->counts[JOB_LOOKING] == 0)
            LOG_EVENT(
                e->platform->log, LOG_LEVEL_WARNING,
                "A table's key has changed since the start, or the table is gone; a restart goes by what there is",
                LOG_C("table", e->context->table->name), LOG_C("audit_table", e->context->audit_table));
        return;
    }
    e->breaker.looking = false;
    bool both_there = outcome == LOOK_SAME || (outcome == LOOK_CHANGED && result->class == CALL_OK);
    if (both_there) {
        e->proven = false; /* a table that can be described may not be writable yet: one message goes first */
        applier_close_breaker(e);
    } else {
        struct verdict v = verdict_of_call(result);
        applier_note_cause(e, &v);
        applier_probe_failed(e, outcome == LOOK_CHANGED ? CAUSE_CHANGED : v.cause);
    }
}

static bool may_be_its_own(const struct job *job) {
    return verdict_may_be_its_own(job->failed_as);
}

/* It fails for good, as far as anybody can know. */
static bool is_stubborn(const struct job *job) {
    return job->failed_as == VERDICT_BY_ITSELF && job->failures_alike >= 2;
}

/* Whether `so` holds for every job inside. BLOCKED ones wait behind one of these. Those that wait to be confirmed have
 * their verdict, and don't count. */
static bool all_failed(const struct applier *e, bool (*so)(const struct job *job)) {
    const struct job *job;
    static const enum job_state states[] = {JOB_STALLED, JOB_RUNNING, JOB_READY, JOB_PAUSED};
    if (e->counts[JOB_STALLED] + e->probes_running == 0 || others_go_on(e))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        TAILQ_FOREACH(job, &e->lists[states[i]], in_state) {
            if (!so(job))
                return false;
        }
    return true;
}

bool applier_only_stubborn(const struct applier *e) {
    return !applier_is_busy(e) && all_failed(e, is_stubborn) && applier_unconfirmed(e) == 0;
}

enum receiving applier_receiving(const struct applier *e, bool full) {
    bool only_suspects = all_failed(e, may_be_its_own);
    int64_t now = e->breaker.trouble.active || only_suspects ? now_of(e) : 0; /* read only where it matters */
    return breaker_receiving(&e->breaker, only_suspects, full, e->proven, now);
}

void applier_received_extra(struct applier *e) {
    breaker_received_extra(&e->breaker, now_of(e));
    arm(e);
}

void applier_extra_ended(struct applier *e, bool failed) {
    breaker_extra_ended(&e->breaker, failed, now_of(e));
    arm(e);
}
