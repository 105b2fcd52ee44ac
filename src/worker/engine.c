#include "engine_private.h"

#include <assert.h>

static const int64_t TRANSACTION_DEADLINE = 120 * MICROSECONDS;
static const int64_t NO_MEMORY_PAUSE = MICROSECONDS;

/* On its way to its answer: what waits for others must not keep them from being received. */
static bool is_being_tried_anew(const struct job *job) {
    return job->tried_anew && (job->state == JOB_READY || job->state == JOB_RUNNING || job->state == JOB_PAUSED);
}

void job_enter(struct job *job, enum job_state state) {
    struct engine *e = job->engine;
    e->tried_anew -= is_being_tried_anew(job);
    if (job->state != JOB_OUTSIDE) {
        TAILQ_REMOVE(&e->lists[job->state], job, in_state);
        e->counts[job->state]--;
    }
    timer_stop(e->ports->timers, &job->timer);
    job->state = state;
    e->tried_anew += is_being_tried_anew(job);
    if (state != JOB_OUTSIDE) {
        TAILQ_INSERT_TAIL(&e->lists[state], job, in_state);
        e->counts[state]++;
    }
}

static void on_rate_timer(void *user) {
    engine_pump(user);
}

void engine_init(struct engine *e, const struct worker_ports *ports, const struct update_context *context,
                 const struct engine_options *options, const struct discovery_facts *facts,
                 const struct engine_host *host) {
    *e = (struct engine){.ports = ports, .context = context, .options = *options, .host = *host};
    for (size_t i = 0; i < JOB_STATES; i++)
        TAILQ_INIT(&e->lists[i]);
    uint64_t seed = random_next(ports->random);
    record_lines_init(&e->records, seed, random_next(ports->random));
    limiter_init(&e->limiter, options->max_rate, clock_monotonic(ports->clock));
    timer_init(&e->rate_timer, on_rate_timer, e);
    e->verdict_at = clock_monotonic(ports->clock);
    governor_init(&e->governor, e->verdict_at);
    engine_verdict_init(e, facts);
    hold_init(e);
}

void engine_done(struct engine *e) {
    assert(engine_count(e) == 0);
    hold_stop(e);
    look_cancel(&e->look);
    timer_stop(e->ports->timers, &e->rate_timer);
    record_lines_free(&e->records);
}

unsigned engine_count(const struct engine *e) {
    unsigned count = 0;
    for (size_t i = JOB_OUTSIDE + 1; i < JOB_STATES; i++)
        count += e->counts[i];
    return count;
}

static void on_job_timer(void *user) {
    struct job *job = user;
    struct engine *e = job->engine;
    if (job->state == JOB_PAUSED) {
        job_enter(job, JOB_READY);
        engine_pump(e);
    } else if (job->state == JOB_LOOKING) {
        look_begin(&e->look, false);
    } else if (job->state == JOB_CONFIRMING) {
        engine_confirm(e, job);
        engine_pump(e);
        e->host.changed(e->host.ctx);
    }
}

/* Into the engine and the line of its record; *ret_first: in front of it. */
static bool take_in(struct engine *e, struct job *job, bool *ret_first) {
    struct job *displaced = NULL;
    job->engine = e;
    job->state = JOB_OUTSIDE;
    job->call = NULL;
    timer_init(&job->timer, on_job_timer, job);
    buf_init(&job->confirm_request, CONFIRM_REQUEST_MAX);
    if (!record_lines_enter(&e->records, job, ret_first, &displaced))
        return false;
    if (displaced)
        job_enter(displaced, JOB_BLOCKED);
    return true;
}

bool engine_add(struct engine *e, struct job *job) {
    bool first = false;
    if (!take_in(e, job, &first))
        return false;
    job_enter(job, first ? JOB_READY : JOB_BLOCKED);
    if (first)
        hold_joined(e);
    return true;
}

bool engine_confirm_again(struct engine *e, struct job *job) {
    bool first = false;
    if (!take_in(e, job, &first))
        return false;
    job->confirmations++;
    if (!job->update->audited) {
        job->tried_anew = true; /* its token tells */
        job_enter(job, first ? JOB_READY : JOB_BLOCKED);
        timer_start(e->ports->timers, &e->rate_timer, clock_monotonic(e->ports->clock));
        return true;
    }
    job->pauses = 1; /* it waits, as the DLQ does */
    job_enter(job, JOB_CONFIRMING);
    engine_confirm(e, job);
    return true;
}

static void on_transacted(void *user, const struct transact_result *result) {
    struct job *job = user;
    struct engine *e = job->engine;
    job->call = NULL;
    engine_answered(e, job, result);
    engine_pump(e);
    e->host.changed(e->host.ctx);
}

void engine_start(struct engine *e, struct job *job, bool is_probe) {
    struct update *u = job->update;
    if (u->of_index && u->failure.type != ERROR_NONE) {
        engine_look_first(e, job);
        return;
    }
    if (u->confirm_refusal && u->failure.type != ERROR_NONE) {
        engine_fail(e, job, true); /* a version that knew no such rule may have applied it */
        return;
    }
    if (u->request.len == 0 && !update_build(e->context, u, clock_wall(e->ports->clock))) {
        if (u->failure.type == ERROR_NONE)
            engine_retry_in(e, job, NO_MEMORY_PAUSE);
        else
            engine_fail(e, job, false);
        return;
    }
    bool still_false = engine_is_still_false(job);
    if (still_false && u->audited) {
        engine_fail(e, job, true); /* whether it was applied meanwhile is read; of an unaudited one its token tells */
        return;
    }
    job->gave_way = still_false;
    u->failure.type = ERROR_NONE;
    const struct dynamodb_port *db = e->ports->dynamodb;
    /* One attempt: whatever is tried again passes the limits and the hold like all else. */
    struct call_options options = {.deadline = clock_monotonic(e->ports->clock) + TRANSACTION_DEADLINE,
                                   .max_attempts = 1,
                                   .body_sha256 = u->request_hashed ? u->request_sha256 : NULL};
    job->tried_at = clock_monotonic(e->ports->clock);
    job->verdicts_at_start = e->verdicts;
    if (job->failures_alike > 0)
        engine_weigh(e, job);
    job->commits_at_start = e->commits[u->audited];
    job->failures_at_start = e->failures;
    job->call = db->transact(db->ctx, buf_span(&u->request), &options, on_transacted, job);
    if (!job->call) {
        engine_retry_in(e, job, NO_MEMORY_PAUSE);
        return;
    }
    job->started = ++e->attempts;
    job->is_probe = is_probe;
    e->probes_running += is_probe;
    job_enter(job, JOB_RUNNING);
}

/* Takes leave for one transaction, from MAX_RATE and from DynamoDB. False: the timer is set. */
static bool may_start_one(struct engine *e, int64_t now) {
    int64_t wait = governor_wait(&e->governor, now);
    if (wait == 0 && limiter_take(&e->limiter, now, &wait)) {
        governor_started(&e->governor, e->ports->random, now);
        return true;
    }
    timer_start(e->ports->timers, &e->rate_timer, now + wait);
    return false;
}

void engine_pump(struct engine *e) {
    if (e->stopping || e->hold.active)
        return;
    int64_t now = clock_monotonic(e->ports->clock), hot;
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_READY]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (e->counts[JOB_RUNNING] >= governor_window(&e->governor, e->options.max_running))
            return;
        if (!e->host.may_start(e->host.ctx, job))
            continue;
        if ((hot = governor_record_wait(&e->governor, record_lines_hash(job), now)) > 0) {
            engine_retry_in(e, job, hot);
            continue;
        }
        if (!may_start_one(e, now))
            return;
        governor_record_started(&e->governor, record_lines_hash(job), now);
        engine_start(e, job, false);
    }
}

/* Takes a job out of its state and its record's line, and lets the next of the line come forward. */
static void take_out(struct engine *e, struct job *job) {
    if (job->call) {
        e->ports->dynamodb->cancel(e->ports->dynamodb->ctx, job->call);
        job->call = NULL;
    }
    if (job->state == JOB_RUNNING)
        e->probes_running -= job->is_probe;
    job_enter(job, JOB_OUTSIDE);
    job->tried_anew = false;
    buf_free(&job->confirm_request);
    struct job *first = record_lines_leave(&e->records, job);
    if (first && first->state == JOB_BLOCKED)
        job_enter(first, JOB_READY);
}

void engine_withdraw(struct engine *e, struct job *job) {
    take_out(e, job);
    hold_review(e);
}

void engine_end(struct engine *e, struct job *job, enum job_outcome outcome) {
    if (outcome == JOB_APPLIED) {
        job->in_record.line->applied++;
        job->update->failure.type = ERROR_NONE; /* whatever was to be confirmed */
    }
    take_out(e, job);
    hold_review(e);
    e->host.ended(e->host.ctx, job, outcome);
}

void engine_stop(struct engine *e) {
    e->stopping = true;
    hold_stop(e);
    timer_stop(e->ports->timers, &e->rate_timer);
}

unsigned engine_unconfirmed(const struct engine *e) {
    static const enum job_state states[] = {JOB_CONFIRMING, JOB_LOOKING};
    unsigned count = 0;
    const struct job *job;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        TAILQ_FOREACH(job, &e->lists[states[i]], in_state) {
            count += job->pauses > 0;
        }
    return count;
}

unsigned engine_rate(const struct engine *e) {
    unsigned admitted = governor_rate(&e->governor), set = e->options.max_rate;
    return !admitted ? set : !set || admitted < set ? admitted : set;
}

int64_t engine_suspects_since(const struct engine *e) {
    const struct job *job;
    TAILQ_FOREACH(job, &e->lists[JOB_HELD], in_state) {
        if (job_is_suspect(job) && !e->hold.active)
            return e->verdict_at;
    }
    return NEVER;
}

void engine_set_limits(struct engine *e, unsigned max_running, unsigned max_rate, unsigned max_attempts) {
    int64_t now = clock_monotonic(e->ports->clock);
    e->options.max_running = max_running;
    e->options.max_rate = max_rate;
    e->options.max_attempts = max_attempts;
    limiter_set_rate(&e->limiter, max_rate, now);
    if (!e->stopping)
        timer_start(e->ports->timers, &e->rate_timer, now); /* its wait was reckoned by the old rate */
}
