/* When the environment fails for everyone, or seems to: nothing is started but probes, what was begun is kept, and one
 * probe at a time finds the end of it. Where it may be the messages' own fault, one further message is received
 * now and then: its success tells. */
#include "applier_private.h"

#include "backoff.h"

#include <stdio.h>
#include <string.h>

static const int64_t FIRST_PROBE = 50 * MILLISECOND; /* mostly it is one lost connection */
static const int64_t PROBE_LEAST = MICROSECONDS; /* between two probes */
static const int64_t PROBE_CAP = 14 * MICROSECONDS;
static const unsigned QUICK_PROBES =
    3; /* after something worked, as the SDKs try again: it may be no more than some lost answers */
static const unsigned EARLY_PROBES = 7; /* these are as close together as may be */
static const unsigned PROBES_MAX = 4; /* at once: one without an answer doesn't keep the others waiting */
/* What waits goes on after this, all at once: one by one, the first that fails would stop the rest again. And not
 * before: when an outage begins, successes from before it still come in between the failures. */
static const int64_t RELEASED_AFTER = 50 * MILLISECOND;
static const int64_t FIRST_EXTRA = 5 * MICROSECONDS, EXTRA_INTERVAL_MAX = 60 * MICROSECONDS;
static const unsigned ANNOUNCED_PROBES = 5;
static const int64_t ANNOUNCED_AFTER = 5 * MICROSECONDS;

static void schedule_probe(struct applier *e) {
    struct breaker *b = &e->breaker;
    int64_t now = clock_monotonic(e->platform->clock), base = PROBE_LEAST, least = b->probed_at + PROBE_LEAST;
    unsigned early = b->throttled ? 0 : EARLY_PROBES, longer = b->probes > early ? b->probes - early : 0;
    if (b->trouble.active && b->probes < b->quick && (b->probes == 0 || !b->throttled)) {
        base = FIRST_PROBE << b->probes;
        longer = 0;
    }
    /* A breaker that opens time and again probes no more often for it, unless something has worked in between. */
    if (b->trouble.active && b->quick == QUICK_PROBES && !b->throttled)
        least = now;
    int64_t at = now + base + backoff_full_jitter(e->platform->random, longer, base, PROBE_CAP);
    timer_start(e->platform->timers, &b->probe_timer, at > least ? at : least);
}

static struct job *first_that_may_start(struct applier *e, enum job_state state) {
    struct job *job;
    TAILQ_FOREACH(job, &e->lists[state], in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

/* The last that failed. */
static struct job *last_failed(struct applier *e) {
    struct job *job;
    TAILQ_FOREACH_REVERSE(job, &e->lists[JOB_STALLED], job_list, in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

/* One that works closes the breaker. Those not tried yet come first, but every other probe is for the same message
 * again: where a fault passes after a few attempts at each, that finds its end without a few for all of them. */
static struct job *next_probe(struct applier *e) {
    bool again = e->breaker.trouble.active && e->breaker.probes % 2 && !e->breaker.newcomer;
    e->breaker.newcomer = false;
    struct job *job = again ? last_failed(e) : NULL;
    if (!job && e->breaker.trouble.active)
        job = first_that_may_start(e, JOB_READY);
    return job ? job : first_that_may_start(e, JOB_STALLED);
}

static void on_probe_timer(void *user) {
    struct applier *e = user;
    int64_t now = clock_monotonic(e->platform->clock), wait = 0;
    if (e->stopping || e->probes_running >= PROBES_MAX || e->breaker.describing)
        return; /* its answer goes on */
    struct job *job = next_probe(e);
    if (!job && e->probes_running > 0)
        return;
    if (job && !limiter_take(&e->limiter, now, &wait)) {
        timer_start(e->platform->timers, &e->breaker.probe_timer, now + wait);
        return;
    }
    e->breaker.probes++;
    e->breaker.probed_at = now;
    if (job) {
        applier_start(e, job, true);
        schedule_probe(e);
    } else if (e->breaker.trouble.active && e->counts[JOB_READY] + e->counts[JOB_STALLED] == 0) {
        e->breaker.describing = true;
        look_begin(&e->look, true);
    } else if (e->breaker.trouble.active || e->counts[JOB_STALLED]) {
        schedule_probe(e);
    }
    e->host.changed(e->host.ctx);
}

static void announce(struct applier *e) {
    struct breaker *b = &e->breaker;
    b->announced = true;
    memcpy(b->told, b->trouble.code, sizeof b->told);
    if (verdict_may_be_its_own(b->why.kind) && !b->paced)
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

static void on_announce_timer(void *user) {
    struct applier *e = user;
    if (e->breaker.trouble.active && !e->breaker.announced)
        announce(e);
}

/* The time for one more message has come: whoever receives asks. */
static void on_extra_timer(void *user) {
    struct applier *e = user;
    e->host.changed(e->host.ctx);
}

void breaker_init(struct applier *e) {
    timer_init(&e->breaker.probe_timer, on_probe_timer, e);
    timer_init(&e->breaker.announce_timer, on_announce_timer, e);
    timer_init(&e->breaker.extra_timer, on_extra_timer, e);
    e->breaker.probed_at = clock_monotonic(e->platform->clock) - PROBE_LEAST;
}

void breaker_stop(struct applier *e) {
    timer_stop(e->platform->timers, &e->breaker.probe_timer);
    timer_stop(e->platform->timers, &e->breaker.announce_timer);
    timer_stop(e->platform->timers, &e->breaker.extra_timer);
}

/* Notes why it fails now. Where that has changed, the log says so, once it has failed so twice in a row: causes that
 * take turns are one trouble. */
void breaker_note_cause(struct applier *e, const struct verdict *why) {
    struct breaker *b = &e->breaker;
    char code[VERDICT_TEXT_SIZE];
    verdict_describe(why, code);
    bool again = !strcmp(code, b->trouble.code);
    memcpy(b->trouble.code, code, sizeof b->trouble.code);
    if (!b->trouble.active || !b->announced || !again || !strcmp(code, b->told))
        return;
    LOG_EVENT(e->platform->log, LOG_LEVEL_WARNING, "Holding: the cause has changed", LOG_C("code", code),
              LOG_C("before", b->told),
              LOG_I("seconds", (clock_monotonic(e->platform->clock) - b->trouble.since) / MICROSECONDS));
    memcpy(b->told, code, sizeof b->told);
}

static void plan_extra(struct applier *e, int64_t at) {
    e->breaker.next_extra = at;
    timer_start(e->platform->timers, &e->breaker.extra_timer, at);
}

static void plan_first_extra(struct applier *e) {
    e->breaker.extra_interval = 2 * FIRST_EXTRA;
    plan_extra(e, clock_monotonic(e->platform->clock) + FIRST_EXTRA);
}

/* After something has worked, one message that fails is mostly that message; when a second one fails, it may be an
 * outage. */
static bool one_more_is_free(const struct applier *e) {
    return e->verdicts > 0 && e->strangers <= 1;
}

void breaker_stranger(struct applier *e) {
    bool was_free = one_more_is_free(e);
    e->strangers++;
    if (e->breaker.trouble.active && was_free && !one_more_is_free(e))
        plan_first_extra(e);
}

/* Not while it is certain that all fail. But what one message's own failure holds up may not keep the verdicts of
 * others. */
bool breaker_takes_read(struct applier *e) {
    struct breaker *b = &e->breaker;
    int64_t now = clock_monotonic(e->platform->clock);
    if (!b->trouble.active)
        return true;
    if (!verdict_may_be_its_own(b->why.kind) || now - b->probed_at < PROBE_LEAST)
        return false;
    b->probed_at = now;
    if (b->probe_timer.running && b->probe_timer.due < now + PROBE_LEAST)
        timer_start(e->platform->timers, &b->probe_timer, now + PROBE_LEAST);
    return true;
}

void breaker_joined(struct applier *e) {
    struct breaker *b = &e->breaker;
    if (!b->trouble.active || e->stopping || !verdict_may_be_its_own(b->why.kind))
        return;
    int64_t now = clock_monotonic(e->platform->clock), least = b->probed_at + PROBE_LEAST;
    int64_t at = one_more_is_free(e) || least < now ? now : least;
    b->newcomer = true; /* it was received to tell: it doesn't wait for its turn */
    if (!b->probe_timer.running || b->probe_timer.due > at)
        timer_start(e->platform->timers, &b->probe_timer, at);
}

/* Whether it is on its way to an answer that may differ from the others'. One that is known to fail and is tried again,
 * and has failed since DynamoDB last worked, tells nothing of an environment that works. */
static bool goes_on(const struct applier *e, const struct job *job) {
    return !job->is_probe && !(job_is_suspect(job) && job->failed_with == e->verdicts + 1);
}

/* Whether something is under way or waits for something else than a probe. */
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

/* What is tried again and fails like all the others takes its turn with them. */
static void stall_failing(struct applier *e, enum job_state state) {
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[state]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (!goes_on(e, job))
            job_enter(job, JOB_STALLED);
    }
}

void breaker_begin(struct applier *e, const struct verdict *why) {
    struct breaker *b = &e->breaker;
    b->trouble.cause = why->cause;
    b->why = (struct verdict){.kind = why->kind};
    b->throttled = why->kind == VERDICT_THROTTLED;
    if (e->stopping)
        return;
    int64_t now = clock_monotonic(e->platform->clock);
    /* Not for a throttle that came while it was open over something else, or alone. */
    if (b->throttled && !b->paced && adaptive_rate_is_starved(&e->adaptive_rate, now)) {
        b->paced = true;
        adaptive_rate_suspend(&e->adaptive_rate, e->attempts, now);
    }
    if (b->trouble.active)
        return;
    b->trouble.active = true;
    stall_failing(e, JOB_READY);
    stall_failing(e, JOB_PAUSED);
    b->announced = false;
    b->trouble.since = now;
    plan_first_extra(e);
    timer_start(e->platform->timers, &b->announce_timer, now + ANNOUNCED_AFTER);
    b->probes = 0;
    b->quick = !b->throttled && e->verdict_at > b->probed_at ? QUICK_PROBES : 1;
    schedule_probe(e);
}

void breaker_review(struct applier *e) {
    if (e->stopping)
        return;
    /* Where something has worked since the last of them first failed, it is no outage: they wait for a success of their
     * own kind. */
    if (!e->breaker.trouble.active && e->counts[JOB_STALLED] && !others_go_on(e) &&
        e->verdicts == e->verdicts_at_own_failure)
        breaker_begin(e, &e->last_own);
    /* Suspects are probed also while the breaker is closed: others may never be of their kind. */
    if (e->counts[JOB_STALLED] && !e->breaker.probe_timer.running && e->probes_running == 0 && !e->breaker.describing) {
        if (!e->breaker.trouble.active)
            e->breaker.probes = 0;
        schedule_probe(e);
    }
}

void breaker_end(struct applier *e) {
    struct breaker *b = &e->breaker;
    if (!b->trouble.active)
        return;
    b->trouble.active = false;
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_STALLED]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (!job_is_suspect(job))
            applier_retry_in(e, job, RELEASED_AFTER);
    }
    int64_t now = clock_monotonic(e->platform->clock);
    if (b->paced)
        adaptive_rate_resume(&e->adaptive_rate, e->attempts, now);
    b->paced = false;
    timer_stop(e->platform->timers, &b->probe_timer);
    timer_stop(e->platform->timers, &b->announce_timer);
    if (b->announced)
        LOG_EVENT(e->platform->log, LOG_LEVEL_INFO, "DynamoDB works again; going on",
                  LOG_I("seconds", (now - b->trouble.since) / MICROSECONDS), LOG_I("probes", b->probes));
    breaker_review(e);
}

void breaker_probe_failed(struct applier *e, enum cause cause) {
    struct breaker *b = &e->breaker;
    b->trouble.cause = cause;
    if (e->stopping)
        return;
    if (b->trouble.active && !b->announced && b->probes >= ANNOUNCED_PROBES)
        announce(e);
    schedule_probe(e);
}

void breaker_looked(struct applier *e, enum look_outcome outcome, const struct call_result *result) {
    if (!e->breaker.describing)
        return;
    e->breaker.describing = false;
    bool both_there = outcome == LOOK_SAME || (outcome == LOOK_CHANGED && result->class == CALL_OK);
    if (both_there) {
        e->proven = false; /* described is not yet written: one message first */
        breaker_end(e);
    } else {
        struct verdict v = verdict_of_call(result);
        breaker_note_cause(e, &v);
        breaker_probe_failed(e, outcome == LOOK_CHANGED ? CAUSE_CHANGED : v.cause);
    }
}

static bool may_be_its_own(const struct job *job) {
    return verdict_may_be_its_own(job->failed_as);
}

/* It fails for good, as far as it can be told. */
static bool is_stubborn(const struct job *job) {
    return job->failed_as == VERDICT_BY_ITSELF && job->failures_alike >= 2;
}

/* Whether all that is inside failed in such a way; BLOCKED ones stand behind such. What waits for its confirmation has
 * its verdict, and doesn't count. */
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
    if (e->stopping)
        return RECEIVE_NOTHING;
    bool only_suspects = all_failed(e, may_be_its_own);
    if (e->breaker.trouble.active || (only_suspects && full)) {
        bool may =
            only_suspects && (one_more_is_free(e) || clock_monotonic(e->platform->clock) >= e->breaker.next_extra);
        return may ? RECEIVE_ONE_MORE : RECEIVE_NOTHING;
    }
    if (!e->proven)
        return RECEIVE_ONE;
    return only_suspects ? RECEIVE_WHAT_FITS : RECEIVE_FREELY;
}

void applier_received_extra(struct applier *e) {
    struct breaker *b = &e->breaker;
    if (one_more_is_free(e))
        return;
    plan_extra(e, clock_monotonic(e->platform->clock) + b->extra_interval);
    b->extra_interval = 2 * b->extra_interval < EXTRA_INTERVAL_MAX ? 2 * b->extra_interval : EXTRA_INTERVAL_MAX;
}
