/* An audit table that answers from a list of keys, in virtual time; what it is to do wrong is set. */
#pragma once

#include "audit_table.h"
#include "clock.h"
#include "random.h"
#include "timers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_CALLS 16

struct fake_record {
    const char *log_id;
    const char *error; /* NULL: a success */
    int64_t written, expires;
};

struct call {
    struct fake_audit_table *table;
    struct timer timer;
    struct audit_look *looks;
    size_t count;
    audit_looked *done;
    void *user;
    bool with_times, running;
};

struct fake_audit_table {
    int64_t now;
    struct clock clock;
    struct timers timers;
    struct random random;
    const struct fake_record *records;
    size_t record_count;
    int64_t latency;
    unsigned process; /* keys of a request that are looked at; 0: all */
    bool processes_none;
    struct call_result failure; /* what requests are answered with; CALL_OK: as they should be */
    bool no_memory;
    unsigned requests, under_way, most_under_way, asked; /* asked: keys */
    size_t last_count;
    struct call calls[FAKE_CALLS];
};

static inline int64_t fake_audit_now(void *ctx) {
    return ((struct fake_audit_table *)ctx)->now;
}

static inline void fake_audit_answer(void *user) {
    struct call *call = user;
    struct fake_audit_table *t = call->table;
    call->running = false;
    t->under_way--;
    for (size_t i = 0; t->failure.class == CALL_OK && i < call->count; i++) {
        struct audit_look *look = &call->looks[i];
        look->state = t->processes_none || (t->process && i >= t->process) ? AUDIT_UNPROCESSED : AUDIT_ABSENT;
        look->error[0] = '\0';
        look->written = look->expires = 0;
        for (size_t k = 0; look->state == AUDIT_ABSENT && k < t->record_count; k++) {
            if (strcmp(t->records[k].log_id, look->log_id) == 0) {
                look->state = AUDIT_FOUND;
                look->written = call->with_times ? t->records[k].written : 0;
                look->expires = call->with_times ? t->records[k].expires : 0;
                (void)snprintf(look->error, sizeof look->error, "%s", t->records[k].error ? t->records[k].error : "");
            }
        }
    }
    call->done(call->user, &t->failure);
}

static inline struct call *fake_audit_look(void *ctx, const char *table, struct audit_look *looks, size_t count,
                                           bool with_times, const struct call_options *options, audit_looked *done,
                                           void *user) {
    struct fake_audit_table *t = ctx;
    assert_string_equal(table, "audit_logs");
    assert_int_equal(options->max_attempts, 1);
    assert_true(count > 0 && count <= AUDIT_LOOKS_MAX);
    struct call *call = t->calls;
    while (call->running) {
        call++;
        assert_true(call < t->calls + FAKE_CALLS);
    }
    if (t->no_memory) {
        return NULL;
    }
    *call = (struct call){.with_times = with_times,
                          .table = t,
                          .looks = looks,
                          .count = count,
                          .done = done,
                          .user = user,
                          .running = true};
    t->requests++;
    t->asked += (unsigned)count;
    t->last_count = count;
    t->under_way++;
    t->most_under_way = t->under_way > t->most_under_way ? t->under_way : t->most_under_way;
    timer_init(&call->timer, fake_audit_answer, call);
    timer_start(&t->timers, &call->timer, t->now + t->latency);
    return call;
}

static inline void fake_audit_cancel(void *ctx, struct call *call) {
    struct fake_audit_table *t = ctx;
    assert_true(call->running);
    call->running = false;
    t->under_way--;
    timer_stop(&t->timers, &call->timer);
}

static inline void fake_audit_init(struct fake_audit_table *t) {
    *t = (struct fake_audit_table){.now = 1000 * MICROSECONDS, .latency = 10 * MILLISECOND};
    t->clock = (struct clock){fake_audit_now, fake_audit_now, t};
    random_seed(&t->random, 1);
}

static inline struct audit_table_api fake_audit_api(struct fake_audit_table *t) {
    return (struct audit_table_api){.ctx = t, .look = fake_audit_look, .cancel = fake_audit_cancel};
}

/* Runs until nothing is left to happen, or until a moment. */
static inline void fake_audit_run(struct fake_audit_table *t, int64_t until) {
    while (timers_next(&t->timers) <= until && timers_next(&t->timers) != NEVER) {
        int64_t next = timers_next(&t->timers);
        t->now = next > t->now ? next : t->now;
        (void)timers_run(&t->timers, t->now);
    }
    t->now = until != NEVER && until > t->now ? until : t->now;
}
