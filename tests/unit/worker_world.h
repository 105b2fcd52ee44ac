/* What the tests of the worker share: a world with one worker (or more), and what is to be true of it afterwards. */
#pragma once

#include "invariants.h"
#include "sim_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND MICROSECONDS
#define MINUTE (60 * MICROSECONDS)
#define HOUR (3600 * MICROSECONDS)

/* Steps while a condition holds; a test fails in which it holds for more than a day. */
#define STEP_WHILE(world, condition)                                                                                   \
    for (int64_t step_until = (world)->now + 24 * HOUR; (condition); world_step(world))                                \
    assert_true(timers_next(&(world)->timers) <= step_until)

struct scene {
    struct world world;
    struct invariants invariants;
    struct sim_worker worker, other;
    struct sim_queue *queue, *dlq;
    struct sim_table *users, *audit;
    struct sim_dynamodb *db;
    struct sim_sqs *sqs;
};

/* In a world that stands. */
static inline void scene_settle(struct scene *s, unsigned records) {
    invariants_init(&s->invariants, &s->world);
    s->db = &s->world.dynamodb;
    s->sqs = &s->world.sqs;
    s->queue = &s->sqs->queues[0];
    s->dlq = &s->sqs->queues[1];
    s->users = sim_dynamodb_table(s->db, SIM_TABLE);
    s->audit = sim_dynamodb_table(s->db, SIM_AUDIT_TABLE);
    for (unsigned i = 0; i < records; i++) {
        char key[32];
        snprintf(key, sizeof key, "k%u", i);
        sim_table_put(s->users, key, "n", "0");
    }
    sim_worker_init(&s->worker, &s->world);
    sim_worker_init(&s->other, &s->world);
}

/* Everything up, nothing started, records `k0` … `k<records - 1>` with n = 0. */
static inline void scene_init(struct scene *s, uint64_t seed, unsigned records) {
    sim_usual_world(&s->world, seed);
    scene_settle(s, records);
}

/* The same with FIFO queues. */
static inline void scene_init_fifo(struct scene *s, uint64_t seed, unsigned records) {
    sim_fifo_world(&s->world, seed);
    scene_settle(s, records);
}

/* The invariants are checked, the workers end as if killed. */
static inline void scene_done(struct scene *s) {
    sim_worker_kill(&s->worker);
    sim_worker_kill(&s->other);
    invariants_check(&s->invariants);
    char violations[2000];
    snprintf(violations, sizeof violations, "%.1900s", s->world.violations.data ? s->world.violations.data : "");
    size_t count = s->world.violations.len;
    invariants_done(&s->invariants);
    world_done(&s->world);
    if (count)
        fail_msg("invariants are broken:\n%s", violations);
}

static inline void scene_start(struct scene *s) {
    assert_true(sim_worker_start(&s->worker));
}

/* printf-formatted text to the queue. */
static inline struct sim_message *scene_send(struct scene *s, const char *format, ...) PRINTF_LIKE(2, 3);
static inline struct sim_message *scene_send(struct scene *s, const char *format, ...) {
    char body[4096];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    assert_true(len > 0 && (size_t)len < sizeof body);
    return sim_queue_send(s->queue, body);
}

/* An update of a record's n. */
static inline struct sim_message *scene_set(struct scene *s, unsigned record, unsigned n) {
    return scene_send(s, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}}", record, n);
}

static inline unsigned scene_n(const struct scene *s, unsigned record) {
    char key[32];
    snprintf(key, sizeof key, "k%u", record);
    return (unsigned)strtoul(sim_table_get(s->users, key, "n"), NULL, 10);
}

static inline bool scene_is_idle(void *ctx) {
    const struct scene *s = ctx;
    return s->queue->count == 0;
}

/* Runs until the queue is empty; at most so long. */
static inline void scene_empties(struct scene *s, int64_t within) {
    if (!world_run_until(&s->world, scene_is_idle, s, within))
        fail_msg("after %.0f s the queue still has %zu messages, %u held\n%.3000s", (double)within / 1e6,
                 s->queue->count, s->worker.worker ? queue_worker_status(s->worker.worker).in_flight : 0,
                 s->world.log_text.data ? s->world.log_text.data : "");
}

static inline bool scene_has_ended(void *ctx) {
    const struct sim_worker *worker = ctx;
    return worker->ended;
}

/* Runs until the worker has ended; at most so long. */
static inline void scene_ends(struct scene *s, int64_t within, struct outcome outcome) {
    if (!world_run_until(&s->world, scene_has_ended, &s->worker, within))
        fail_msg("it has not ended within %.0f s:\n%.3000s", (double)within / 1e6,
                 s->world.log_text.data ? s->world.log_text.data : "");
    assert_int_equal(s->worker.outcome.ending, outcome.ending);
    assert_int_equal(s->worker.outcome.cause, outcome.cause);
}

static inline struct queue_worker_status scene_status(const struct scene *s) {
    return queue_worker_status(s->worker.worker);
}

/* The i-th message in the DLQ. */
static inline struct sim_message *scene_dead(const struct scene *s, size_t i) {
    struct sim_message *m;
    TAILQ_FOREACH(m, &s->dlq->messages, link) {
        if (i-- == 0)
            return m;
    }
    fail_msg("the DLQ has too few messages");
    return NULL;
}

/* Transactions of some records are answered by the test. */
struct scripted {
    const char *record; /* a part of the record's key; "": all */
    bool audited_only;
    int status; /* an exception of this status and code; 0: cancelled with these reasons */
    const char *code, *audit_code;
    unsigned left; /* answers; 0: the script is over */
    unsigned answered;
};

static inline enum sim_fate scripted_answer(void *ctx, const struct sim_transaction *t,
                                            struct transact_result *result) {
    struct scripted *script = ctx;
    if (!script->left || !strstr(t->record, script->record) || (script->audited_only && !t->audited))
        return SIM_RUN;
    script->left--;
    if (script->status)
        sim_answer_exception(result, script->status, script->code);
    else
        sim_answer_cancelled(result, script->code,
                             t->audited ? script->audit_code ? script->audit_code : "None" : NULL);
    return SIM_ANSWER;
}

static inline enum sim_fate scripted_hook(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct scripted *script = ctx;
    enum sim_fate fate = scripted_answer(script, t, result);
    script->answered += fate == SIM_ANSWER;
    return fate;
}

#define FOR_EVER UINT32_MAX

static inline void scene_script(struct scene *s, struct scripted *script) {
    s->db->hook = scripted_hook;
    s->db->hook_ctx = script;
}

/* A healthy message every so often, for so long. */
static inline void scene_trickle(struct scene *s, unsigned record, int64_t every, int64_t duration) {
    for (int64_t until = s->world.now + duration; s->world.now < until;) {
        scene_set(s, record, (unsigned)(s->world.now / SECOND));
        world_run(&s->world, every);
    }
}
