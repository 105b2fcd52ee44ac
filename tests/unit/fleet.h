/* Many appliers that share one table of limited capacity, in virtual time: light enough for a thousand. Each has a few
 * messages, for records of their own, that come again a while after they were applied. */
#pragma once

#include "digest.h"
#include "applier_private.h"
#include "worker_world.h"

#define FLEET_JOBS 10

struct fleet_job {
    struct job job; /* first */
    struct fleet_applier *owner;
    struct update *update;
    struct timer comes_again;
    char body[64], key[24]; /* what the update borrows */
    bool hot; /* its record has a capacity of its own */
};

struct fleet_applier {
    struct fleet *fleet;
    struct applier applier;
    struct random random;
    struct platform platform;
    struct fleet_job jobs[FLEET_JOBS];
    uint64_t applied;
};

/* A bucket of tokens, as DynamoDB has them. */
struct capacity {
    double rate, burst, tokens; /* rate 0: no bound */
    int64_t at;
};

struct fleet_call {
    LIST_ENTRY(fleet_call) link;
    struct fleet *fleet;
    struct timer arrives, answers;
    bool admitted, hot;
    transact_done *done;
    void *user;
};

struct fleet {
    struct timers timers;
    int64_t now, latency, think;
    struct clock clock;
    struct log log;
    struct random random;
    struct dynamodb_api port;
    struct digest *digest;
    struct discovery_facts facts;
    struct update_context context;
    struct fleet_applier *appliers;
    unsigned count;
    struct capacity table, hot;
    bool down;
    LIST_HEAD(, fleet_call) calls;
    uint64_t attempts, admitted, throttled;
    uint64_t others_admitted; /* not of the hot record */
    unsigned per_millisecond[1000]; /* attempts, by the millisecond of the second */
};

static inline bool capacity_take(struct capacity *c, int64_t now) {
    if (c->rate == 0)
        return true;
    c->tokens += (double)(now - c->at) * c->rate / 1e6;
    c->tokens = c->tokens < c->burst ? c->tokens : c->burst;
    c->at = now;
    if (c->tokens < 1)
        return false;
    c->tokens--;
    return true;
}

static inline void capacity_set(struct capacity *c, double rate, double seconds, int64_t now) {
    *c = (struct capacity){.rate = rate, .burst = rate * seconds + 1, .at = now};
}

static int64_t fleet_now(void *ctx) {
    return ((const struct fleet *)ctx)->now;
}

static void fleet_arrives(void *user) {
    struct fleet_call *call = user;
    struct fleet *f = call->fleet;
    f->attempts++;
    f->per_millisecond[f->now / MILLISECOND % 1000]++;
    bool fits = !call->hot || capacity_take(&f->hot, f->now);
    call->admitted = !f->down && fits && capacity_take(&f->table, f->now);
    f->admitted += call->admitted;
    f->throttled += !call->admitted;
    f->others_admitted += call->admitted && !call->hot;
    timer_start(&f->timers, &call->answers, f->now + f->latency / 2);
}

static void fleet_call_end(struct fleet_call *call) {
    timer_stop(&call->fleet->timers, &call->arrives);
    timer_stop(&call->fleet->timers, &call->answers);
    LIST_REMOVE(call, link);
    free(call);
}

static void fleet_answers(void *user) {
    struct fleet_call *call = user;
    struct transact_result result = {.call = {.class = CALL_OK, .status = 200, .attempts = 1}};
    if (!call->admitted)
        sim_answer_exception(&result, 400, "ThrottlingException");
    call->done(call->user, &result);
    fleet_call_end(call);
}

static struct call *fleet_transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                                   void *user) {
    struct fleet *f = ctx;
    (void)body;
    assert_int_equal(options->max_attempts, 1);
    struct fleet_call *call = calloc(1, sizeof *call);
    assert_non_null(call);
    *call = (struct fleet_call){.fleet = f, .done = done, .user = user, .hot = ((struct fleet_job *)user)->hot};
    timer_init(&call->arrives, fleet_arrives, call);
    timer_init(&call->answers, fleet_answers, call);
    LIST_INSERT_HEAD(&f->calls, call, link);
    timer_start(&f->timers, &call->arrives, f->now + f->latency / 2);
    return (struct call *)call;
}

static void fleet_cancel(void *ctx, struct call *call) {
    (void)ctx;
    fleet_call_end((struct fleet_call *)call);
}

static struct call *fleet_describe(void *ctx, const char *name, const struct call_options *options,
                                   describe_table_done *done, void *user) {
    (void)ctx, (void)name, (void)options, (void)done, (void)user;
    fail_msg("nobody asks for a table while messages are held");
    return NULL;
}

static bool fleet_may_start(void *ctx, struct job *job) {
    (void)ctx, (void)job;
    return true;
}

static void fleet_comes_again(void *user) {
    struct fleet_job *j = user;
    assert_true(applier_add(&j->owner->applier, &j->job));
    applier_turn(&j->owner->applier);
}

static void fleet_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct fleet_applier *e = ctx;
    struct fleet *f = e->fleet;
    struct fleet_job *j = (struct fleet_job *)job;
    assert_int_equal(outcome, JOB_APPLIED);
    e->applied++;
    int64_t think = j->hot ? 0 : (int64_t)random_below(&f->random, 2 * (uint64_t)f->think);
    struct update *update = job->update;
    j->job = (struct job){.update = update, .receive_count = 1};
    timer_start(&f->timers, &j->comes_again, f->now + think);
}

static void fleet_changed(void *ctx) {
    (void)ctx;
}

/* think: microseconds, on average, from a message's end to the next one of its record. Of each applier the first `hot`
 * messages are for one record. */
static inline void fleet_init(struct fleet *f, uint64_t seed, unsigned count, int64_t think, unsigned hot) {
    *f = (struct fleet){.now = SECOND, .latency = 20 * MILLISECOND, .think = think, .count = count};
    f->clock = (struct clock){fleet_now, fleet_now, f};
    f->log = (struct log){.fd = -1, .level = LOG_LEVEL_ERROR};
    random_seed(&f->random, seed);
    f->digest = digest_new();
    assert_non_null(f->digest);
    LIST_INIT(&f->calls);
    f->port = (struct dynamodb_api){
        .ctx = f, .transact = fleet_transact, .describe_table = fleet_describe, .cancel = fleet_cancel};
    f->facts.table = (struct table_shape){.name = "t", .partition = {"id", KEY_STRING}};
    f->context = (struct update_context){
        .table = &f->facts.table, .audit_table = "a", .audit = AUDIT_OFF, .user_agent = "test", .digest = f->digest};
    f->appliers = calloc(count, sizeof(struct fleet_applier));
    assert_non_null(f->appliers);
    for (unsigned i = 0; i < count; i++) {
        struct fleet_applier *e = &f->appliers[i];
        e->fleet = f;
        random_seed(&e->random, random_next(&f->random));
        e->platform = (struct platform){
            .dynamodb = &f->port, .clock = &f->clock, .timers = &f->timers, .random = &e->random, .log = &f->log};
        struct applier_options options = {.max_running = 256, .max_attempts = 5, .can_return = true};
        struct applier_host host = {
            .may_start = fleet_may_start, .ended = fleet_ended, .changed = fleet_changed, .ctx = e};
        applier_init(&e->applier, &e->platform, &f->context, &options, &f->facts, &host);
        for (unsigned n = 0; n < FLEET_JOBS; n++) {
            struct fleet_job *j = &e->jobs[n];
            j->hot = n < hot;
            snprintf(j->body, sizeof j->body, "{\"id\":\"%u-%u\",\"attributes\":{\"n\":1}}", j->hot ? 0 : i,
                     j->hot ? 0 : n);
            snprintf(j->key, sizeof j->key, "%u-%u", i, n);
            struct delivery delivery = {.body = span_cstr(j->body), .message_id = span_cstr(j->key)};
            j->owner = e;
            j->job.update = update_read(&f->context, &delivery);
            assert_true(j->job.update && j->job.update->failure.type == ERROR_NONE);
            j->job.receive_count = 1;
            timer_init(&j->comes_again, fleet_comes_again, j);
            timer_start(&f->timers, &j->comes_again,
                        f->now + (int64_t)random_below(&f->random, 2 * (uint64_t)think + 1));
        }
    }
}

static inline void fleet_run(struct fleet *f, int64_t microseconds) {
    int64_t until = f->now + microseconds;
    while (timers_next(&f->timers) <= until) {
        int64_t next = timers_next(&f->timers);
        f->now = next > f->now ? next : f->now;
        timers_run(&f->timers, f->now);
    }
    f->now = until;
}

struct fleet_counts {
    uint64_t attempts, admitted, others;
};

/* What happens in so much time. */
static inline struct fleet_counts fleet_count(struct fleet *f, int64_t microseconds) {
    struct fleet_counts before = {f->attempts, f->admitted, f->others_admitted};
    fleet_run(f, microseconds);
    return (struct fleet_counts){f->attempts - before.attempts, f->admitted - before.admitted,
                                 f->others_admitted - before.others};
}

static inline void fleet_done(struct fleet *f) {
    for (unsigned i = 0; i < f->count; i++) {
        struct fleet_applier *e = &f->appliers[i];
        applier_stop(&e->applier);
        for (unsigned n = 0; n < FLEET_JOBS; n++) {
            timer_stop(&f->timers, &e->jobs[n].comes_again);
            if (e->jobs[n].job.state != JOB_OUTSIDE)
                applier_withdraw(&e->applier, &e->jobs[n].job);
            update_free(e->jobs[n].job.update);
        }
        applier_done(&e->applier);
    }
    for (struct fleet_call *call; (call = LIST_FIRST(&f->calls));)
        fleet_call_end(call);
    free(f->appliers);
    digest_free(f->digest);
}
