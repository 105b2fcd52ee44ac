/* What happens in one run: everything is drawn from its seed before the run begins, so that parts of it can be left out afterwards and
 * the rest stays what it was. */
#pragma once

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_WORKERS_MAX 4
#define PLAN_UPDATES_MAX 64
#define PLAN_MESSAGES_MAX 96
#define PLAN_FAULTS_MAX 12
#define PLAN_EVENTS_MAX 8
#define PLAN_RECORDS 6 /* k0 … and v0 …, of the chains */

#define SECOND MICROSECONDS
#define MINUTE (60 * MICROSECONDS)
#define HOUR (3600 * MICROSECONDS)

/* What an update is meant to come to. */
enum update_kind {
    UPDATE_PLAIN,   /* it is applied */
    UPDATE_CHAIN,   /* applied where its turn comes: version n - 1 → n */
    UPDATE_NOBODY,  /* there is no such record */
    UPDATE_FALSE,   /* its condition is false */
    UPDATE_INVALID, /* it can't be read, or breaks a rule */
    UPDATE_REUSED,  /* another update has the same key */
    UPDATE_POISON,  /* DynamoDB fails for it alone, for good */
    UPDATE_KINDS
};

/* What one idempotency key stands for (two updates of kind REUSED share one). */
struct plan_update {
    enum update_kind kind;
    bool audited;
    bool own_key; /* else the MessageId is its key */
    bool wrapped; /* it comes as the DLQ's envelope, redriven */
    unsigned record;
    unsigned key;   /* the update whose key it has: itself, mostly */
    unsigned group; /* FIFO */
    unsigned version; /* UPDATE_CHAIN: that it sets */
    char *body;  /* of the queue's message; owned */
    char *inner; /* where it is wrapped: the body inside; else the same pointer */
};

struct plan_message {
    unsigned update;
    int64_t at;
    bool left_out;
};

struct plan_worker {
    unsigned max_in_flight, max_rate, max_attempts, visibility, shutdown_timeout;
    int64_t start;
};

enum fault_kind {
    FAULT_DB_UNREACHABLE,
    FAULT_DB_BROKEN,
    FAULT_DB_THROTTLED,
    FAULT_DB_DENIED,
    FAULT_DB_LOST_REQUESTS,
    FAULT_DB_LOST_ANSWERS,
    FAULT_DB_CONFLICTS,
    FAULT_DB_SOME_THROTTLED,
    FAULT_DB_SOME_BROKEN,
    FAULT_DB_IN_PROGRESS,
    FAULT_DB_SLOW,
    FAULT_CONFIRM,
    FAULT_DESCRIBE,
    FAULT_RECORDS,
    FAULT_TABLE_MISSING,
    FAULT_AUDIT_TABLE_MISSING,
    FAULT_NO_CREDENTIALS,
    FAULT_SQS_OUT,
    FAULT_RECEIVE,
    FAULT_DELETE,
    FAULT_VISIBILITY,
    FAULT_DLQ,
    FAULT_RECEIVE_ANSWERS,
    FAULT_DELETE_ANSWERS,
    FAULT_VISIBILITY_ANSWERS,
    FAULT_DLQ_ANSWERS,
    FAULT_DUPLICATES,
    FAULT_REORDER,
    FAULT_ENTRIES,
    FAULT_SHORT_POLLS,
    FAULT_EXPOSE,
    FAULT_REDRIVE,
    FAULT_CLOCK,
    FAULT_KINDS
};

struct plan_fault {
    enum fault_kind kind;
    int64_t at, lasts;
    unsigned amount; /* per mille; or which way it fails */
    bool left_out;
};

enum event_kind { EVENT_KILL, EVENT_STOP, EVENT_STOP_TWICE };

struct plan_event {
    enum event_kind kind;
    unsigned worker;
    int64_t at;
    unsigned steps; /* of the world, after that time */
    int64_t restart; /* so much later; < 0: not again */
    bool left_out;
};

struct plan {
    uint64_t seed;
    bool fifo;
    bool steady; /* a backlog as long as the run: to measure the rate before and after an outage */
    int64_t length; /* messages, faults and events begin within it */
    int64_t db_latency, sqs_latency;
    unsigned worker_count, update_count, message_count, fault_count, event_count;
    struct plan_worker workers[PLAN_WORKERS_MAX];
    struct plan_update updates[PLAN_UPDATES_MAX];
    struct plan_message messages[PLAN_MESSAGES_MAX];
    struct plan_fault faults[PLAN_FAULTS_MAX];
    struct plan_event events[PLAN_EVENTS_MAX];
};

/* The plan of a seed. */
void plan_draw(struct plan *p, uint64_t seed);
void plan_done(struct plan *p);
void plan_print(const struct plan *p, FILE *out);
/* Leaves parts out: "m3,m5-m9,f0,e1". False: there are no such parts. */
bool plan_leave_out(struct plan *p, const char *parts);
/* The names of what was left out, in the same form; NULL where it is nothing. To be freed. */
char *plan_left_out(const struct plan *p);
/* The update in a text (a body, a request, an envelope) by its mark; update_count where there is none. */
unsigned plan_update_in(const struct plan *p, const char *text, size_t len);
/* When the last fault is over and the last event and message has come. */
int64_t plan_quiet_at(const struct plan *p);
bool plan_has(const struct plan *p, enum update_kind kind);
const char *fault_name(enum fault_kind kind);

/* plan_update.c: draws the updates and the messages that carry them. */
void plan_draw_updates(struct plan *p, struct random *r);
/* Among so many, uniformly. */
static inline unsigned pick(struct random *r, unsigned count) {
    return (unsigned)random_below(r, count);
}
