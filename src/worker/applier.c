#include "applier_private.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const int64_t TRANSACTION_DEADLINE = 120 * MICROSECONDS;
static const int64_t NO_MEMORY_PAUSE = MICROSECONDS;

/* Counts only while it is on its way to its answer. Where it waits for other messages, counting it could keep these
 * from being received. */
static bool is_being_tried_anew(const struct job *job) {
    return job->tried_anew && (job->state == JOB_READY || job->state == JOB_RUNNING || job->state == JOB_PAUSED);
}

void job_enter(struct job *job, enum job_state state) {
    struct applier *e = job->applier;
    e->tried_anew -= is_being_tried_anew(job);
    if (job->state != JOB_OUTSIDE) {
        TAILQ_REMOVE(&e->lists[job->state], job, in_state);
        e->counts[job->state]--;
    }
    timer_stop(e->platform->timers, &job->timer);
    job->state = state;
    e->tried_anew += is_being_tried_anew(job);
    if (state != JOB_OUTSIDE) {
        TAILQ_INSERT_TAIL(&e->lists[state], job, in_state);
        e->counts[state]++;
    }
}

static void on_rate_timer(void *user) {
    applier_turn(user);
}

void applier_init(struct applier *e, const struct platform *platform, const struct update_context *context,
                  const struct applier_options *options, const struct discovery_facts *facts,
                  const struct applier_host *host) {
    memset(e, 0, offsetof(struct applier, adaptive_rate));
    e->platform = platform;
    e->context = context;
    e->options = *options;
    e->host = *host;
    for (size_t i = 0; i < JOB_STATES; i++)
        TAILQ_INIT(&e->lists[i]);
    uint64_t seed = random_next(platform->random);
    record_queue_init(&e->records, seed, random_next(platform->random));
    limiter_init(&e->limiter, options->max_rate, clock_monotonic(platform->clock));
    timer_init(&e->rate_timer, on_rate_timer, e);
    e->verdict_at = clock_monotonic(platform->clock);
    adaptive_rate_init(&e->adaptive_rate, e->verdict_at);
    applier_outcome_init(e, facts);
    applier_breaker_init(e);
}

void applier_done(struct applier *e) {
    assert(applier_count(e) == 0);
    applier_breaker_stop(e);
    look_cancel(&e->look);
    timer_stop(e->platform->timers, &e->rate_timer);
    record_queue_free(&e->records);
}

unsigned applier_count(const struct applier *e) {
    unsigned count = 0;
    for (size_t i = JOB_OUTSIDE + 1; i < JOB_STATES; i++)
        count += e->counts[i];
    return count;
}

static void on_job_timer(void *user) {
    struct job *job = user;
    struct applier *e = job->applier;
    if (job->state == JOB_PAUSED) {
        job_enter(job, JOB_READY);
        applier_turn(e);
    } else if (job->state == JOB_LOOKING) {
        look_begin(&e->look, false);
    } else if (job->state == JOB_CONFIRMING) {
        applier_confirm(e, job);
        applier_turn(e);
        e->host.changed(e->host.ctx);
    }
}

/* Puts a job into the applier and into the line of its record. *ret_first: it is first in that line. */
static bool take_in(struct applier *e, struct job *job, bool *ret_first) {
    struct job *displaced = NULL;
    job->applier = e;
    job->state = JOB_OUTSIDE;
    job->call = NULL;
    timer_init(&job->timer, on_job_timer, job);
    buf_init(&job->confirm_request, CONFIRM_REQUEST_MAX);
    if (!record_queue_enter(&e->records, job, ret_first, &displaced))
        return false;
    if (displaced)
        job_enter(displaced, JOB_BLOCKED);
    return true;
}

bool applier_add(struct applier *e, struct job *job) {
    bool first = false;
    if (!take_in(e, job, &first))
        return false;
    job_enter(job, first ? JOB_READY : JOB_BLOCKED);
    if (first)
        applier_joined(e);
    return true;
}

bool applier_confirm_again(struct applier *e, struct job *job) {
    bool first = false;
    if (!take_in(e, job, &first))
        return false;
    job->confirmations++;
    if (!job->update->audited) {
        job->tried_anew = true; /* its token tells whether it was applied */
        job_enter(job, first ? JOB_READY : JOB_BLOCKED);
        timer_start(e->platform->timers, &e->rate_timer, clock_monotonic(e->platform->clock));
        return true;
    }
    job->pauses = 1; /* it counts as waiting from the first read on, as the letter did that waited for the DLQ */
    job_enter(job, JOB_CONFIRMING);
    applier_confirm(e, job);
    return true;
}

static void on_transacted(void *user, const struct transact_result *result) {
    struct job *job = user;
    struct applier *e = job->applier;
    job->call = NULL;
    applier_answered(e, job, result);
    applier_turn(e);
    e->host.changed(e->host.ctx);
}

void applier_start(struct applier *e, struct job *job, bool is_probe) {
    struct update *u = job->update;
    if (u->of_index && u->failure.type != ERROR_NONE) {
        applier_look_first(e, job);
        return;
    }
    if (u->confirm_refusal && u->failure.type != ERROR_NONE) {
        applier_fail(e, job, true); /* an older version, without this rule, may have applied it */
        return;
    }
    if (u->request.len == 0 && !update_build(e->context, u, clock_wall(e->platform->clock))) {
        if (u->failure.type == ERROR_NONE)
            applier_retry_in(e, job, NO_MEMORY_PAUSE);
        else
            applier_fail(e, job, false);
        return;
    }
    bool still_false = applier_is_still_false(job);
    if (still_false && u->audited) {
        applier_fail(e, job, true); /* a read tells whether it was applied meanwhile; else the token would tell */
        return;
    }
    job->gave_way = still_false;
    u->failure.type = ERROR_NONE;
    const struct dynamodb_api *db = e->platform->dynamodb;
    /* One attempt: each further one passes the limits and the breaker like any other transaction. */
    int64_t now = clock_monotonic(e->platform->clock);
    struct call_options options = {.deadline = now + TRANSACTION_DEADLINE,
                                   .max_attempts = 1,
                                   .body_sha256 = u->request_hashed ? u->request_sha256 : NULL};
    job->tried_at = now;
    job->verdicts_at_start = e->verdicts;
    if (job->failures_alike > 0)
        applier_weigh(e, job);
    job->commits_at_start = e->commits[u->audited];
    job->failures_at_start = e->failures;
    job->call = db->transact(db->ctx, buf_span(&u->request), &options, on_transacted, job);
    if (!job->call) {
        applier_retry_in(e, job, NO_MEMORY_PAUSE);
        return;
    }
    job->started = ++e->attempts;
    job->is_probe = is_probe;
    e->probes_running += is_probe;
    job_enter(job, JOB_RUNNING);
}

/* Whether one transaction may start, by MAX_RATE and by the adaptive rate; if so, it is counted. False: the timer is
 * set. */
static bool may_start_one(struct applier *e, int64_t now) {
    int64_t wait = adaptive_rate_wait(&e->adaptive_rate, now);
    if (wait == 0 && limiter_take(&e->limiter, now, &wait)) {
        adaptive_rate_started(&e->adaptive_rate, e->platform->random, now);
        return true;
    }
    timer_start(e->platform->timers, &e->rate_timer, now + wait);
    return false;
}

void applier_turn(struct applier *e) {
    if (e->stopping || e->breaker.trouble.active || TAILQ_EMPTY(&e->lists[JOB_READY]))
        return;
    int64_t now = clock_monotonic(e->platform->clock), hot;
    struct job *next;
    unsigned most = adaptive_rate_window(&e->adaptive_rate, e->options.max_running);
    /* A job that ends at once may open the breaker. That moves jobs to other lists, and ends this loop. */
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_READY]); job && !e->breaker.trouble.active; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (e->counts[JOB_RUNNING] >= most)
            return;
        if (!e->host.may_start(e->host.ctx, job))
            continue;
        if ((hot = adaptive_rate_record_wait(&e->adaptive_rate, record_queue_hash(job), now)) > 0) {
            applier_retry_in(e, job, hot);
            continue;
        }
        if (!may_start_one(e, now))
            return;
        adaptive_rate_record_started(&e->adaptive_rate, record_queue_hash(job), now);
        applier_start(e, job, false);
    }
}

/* Takes a job out of its state's list and its record's line. The next of the line may start then. */
static void take_out(struct applier *e, struct job *job) {
    if (job->call) {
        e->platform->dynamodb->cancel(e->platform->dynamodb->ctx, job->call);
        job->call = NULL;
    }
    if (job->state == JOB_RUNNING)
        e->probes_running -= job->is_probe;
    job_enter(job, JOB_OUTSIDE);
    job->tried_anew = false;
    buf_free(&job->confirm_request);
    struct job *first = record_queue_leave(&e->records, job);
    if (first && first->state == JOB_BLOCKED)
        job_enter(first, JOB_READY);
}

void applier_withdraw(struct applier *e, struct job *job) {
    take_out(e, job);
    applier_review_breaker(e);
}

void applier_end(struct applier *e, struct job *job, enum job_outcome outcome) {
    if (outcome == JOB_APPLIED) {
        job->in_record.queue->applied++;
        job->update->failure.type = ERROR_NONE; /* it may have had a failure that was to be confirmed */
    }
    take_out(e, job);
    applier_review_breaker(e);
    e->host.ended(e->host.ctx, job, outcome);
}

void applier_stop(struct applier *e) {
    e->stopping = true;
    applier_breaker_stop(e);
    timer_stop(e->platform->timers, &e->rate_timer);
}

unsigned applier_unconfirmed(const struct applier *e) {
    static const enum job_state states[] = {JOB_CONFIRMING, JOB_LOOKING};
    unsigned count = 0;
    const struct job *job;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        TAILQ_FOREACH(job, &e->lists[states[i]], in_state) {
            count += job->pauses > 0;
        }
    return count;
}

unsigned applier_begun_most(const struct applier *e) {
    return 2 * e->adaptive_rate.window;
}

unsigned applier_rate(const struct applier *e) {
    unsigned admitted = adaptive_rate_now(&e->adaptive_rate), set = e->options.max_rate;
    return !admitted ? set : !set || admitted < set ? admitted : set;
}

int64_t applier_suspects_since(const struct applier *e) {
    const struct job *job;
    TAILQ_FOREACH(job, &e->lists[JOB_STALLED], in_state) {
        if (job_is_suspect(job) && !e->breaker.trouble.active)
            return e->verdict_at;
    }
    return NEVER;
}

void applier_set_limits(struct applier *e, unsigned max_running, unsigned max_rate, unsigned max_attempts) {
    int64_t now = clock_monotonic(e->platform->clock);
    e->options.max_running = max_running;
    e->options.max_rate = max_rate;
    e->options.max_attempts = max_attempts;
    limiter_set_rate(&e->limiter, max_rate, now);
    if (!e->stopping)
        timer_start(e->platform->timers, &e->rate_timer, now); /* it was set by the old rate */
}

uint64_t applier_next_arrival(struct applier *e) {
    return e->arrivals++;
}

bool applier_is_busy(const struct applier *e) {
    return e->counts[JOB_READY] || e->counts[JOB_PAUSED] || e->counts[JOB_RUNNING] > e->probes_running;
}

bool applier_is_lost(const struct applier *e, int64_t since, struct lost_cause *ret_lost) {
    const struct trouble *t = &e->breaker.trouble;
    if (trouble_lasts_since(t, since))
        *ret_lost = (struct lost_cause){"DynamoDB", t->code, t->cause};
    else if (applier_unconfirmed(e) > 0 && trouble_lasts_since(&e->confirming, since))
        *ret_lost = (struct lost_cause){"Confirming failures", "", e->confirming.cause};
    else if (applier_suspects_since(e) <= since)
        *ret_lost = (struct lost_cause){"DynamoDB, for each message that is left", "", e->last_own.cause};
    else
        return false;
    return true;
}
