/* What happens in one run: everything is drawn from its seed before the run begins, so that parts of it can be left out
 * afterwards and the rest stays what it was. */
#pragma once

#include "random.h"
#include "sim_path.h"

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
#define PLAN_EVERY_WORKER PLAN_WORKERS_MAX
/* What a run must have at least for it to count. */
#define COUNTED_MESSAGES 20
#define COUNTED_WORKERS 2
#define COUNTED_FAULTS 3 /* kinds that struck */

#define SECOND MICROSECONDS
#define MINUTE (60 * MICROSECONDS)
#define HOUR (3600 * MICROSECONDS)

/* What an update is meant to come to. */
enum update_kind {
    UPDATE_PLAIN, /* it is applied */
    UPDATE_CHAIN, /* applied where its turn comes: version n - 1 → n */
    UPDATE_NOBODY, /* there is no such record */
    UPDATE_FALSE, /* its condition is false */
    UPDATE_INVALID, /* it can't be read, or breaks a rule */
    UPDATE_REUSED, /* another update has the same key */
    UPDATE_POISON, /* DynamoDB fails for it alone, for good */
    UPDATE_REFUSED, /* DynamoDB refuses it for good, and our own checks let it through */
    UPDATE_KINDS
};

/* What one idempotency key stands for (two updates of kind REUSED share one). */
struct plan_update {
    enum update_kind kind;
    bool audited;
    bool own_key; /* else the MessageId is its key */
    bool wrapped; /* it comes as the DLQ's envelope, redriven */
    unsigned record;
    unsigned key; /* the update whose key it has: itself, mostly */
    unsigned group; /* FIFO */
    unsigned version; /* UPDATE_CHAIN: that it sets */
    bool counts; /* besides, it adds 1 to its record's count and itself to its list */
    char *body; /* of the queue's message; owned */
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
    /* The way fails for one update (the target) alone: its transactions, its confirming reads, batches to the DLQ and
     * receives in which it is. */
    FAULT_PATH_TRANSACT,
    FAULT_PATH_READ,
    FAULT_PATH_DLQ,
    FAULT_PATH_RECEIVE,
    FAULT_HOT_RECORD, /* the target's record is throttled */
    FAULT_ALL_REFUSED, /* every transaction: ValidationException, or the reason ValidationError */
    FAULT_SOME_REFUSED, /* some of them */
    FAULT_FOREIGN, /* 200s that aren't the service's; amount: of which operation */
    FAULT_UNDELETED, /* deletes fail for long */
    FAULT_SUSPEND, /* the target's process stands, or every worker's */
    FAULT_INDEX, /* the tables have an index more */
    FAULT_CUT_OFF, /* one worker (the target) alone doesn't reach DynamoDB, SQS, or both; only in PLAN_KINDS_CUT */
    FAULT_KINDS
};
#define FAULT_FIRST_OF_ONE FAULT_PATH_TRANSACT /* the kinds from here on are left out of PLAN_KINDS_OLD */

/* How long a fault lasts that is never over. */
#define FOR_GOOD (INT64_MAX / 8)

struct plan_fault {
    enum fault_kind kind;
    int64_t at, lasts;
    unsigned amount; /* per mille; or which way it fails */
    unsigned target; /* an update; or a worker */
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
    bool later; /* judged by the promises that came with the faults from FAULT_FIRST_OF_ONE on */
    bool fifo;
    bool steady; /* a backlog as long as the run: to measure the rate before and after an outage */
    int64_t feed_every; /* besides, a message comes so often that nothing is wrong with; it must not wait. 0: none */
    int64_t length; /* messages, faults and events begin within it */
    int64_t db_latency, sqs_latency;
    unsigned worker_count, update_count, message_count, fault_count, event_count;
    struct plan_worker workers[PLAN_WORKERS_MAX];
    struct plan_update updates[PLAN_UPDATES_MAX];
    struct plan_message messages[PLAN_MESSAGES_MAX];
    struct plan_fault faults[PLAN_FAULTS_MAX];
    struct plan_event events[PLAN_EVENTS_MAX];
};

/* Which plans are drawn. */
enum plan_kinds {
    PLAN_KINDS_OLD, /* without the faults from FAULT_FIRST_OF_ONE on */
    PLAN_KINDS_ALL, /* a third has them */
    PLAN_KINDS_NEW, /* each has */
    PLAN_KINDS_CUT /* as PLAN_KINDS_ALL; most have a worker besides that is cut off for a while */
};

/* The plan of a seed. Where two choices of kinds leave it without the later faults, it is the same plan. */
void plan_draw(struct plan *p, uint64_t seed, enum plan_kinds kinds);
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
/* Whether its run counts, where enough of its faults strike and all messages come to their end. */
bool plan_may_count(const struct plan *p);
/* Whether there are messages that only the success of others tells from an outage. */
bool plan_needs_company(const struct plan *p);
/* The record that an update is for. */
unsigned plan_record(const struct plan *p, unsigned update);
#define PLAN_ALL_RECORDS (4 * PLAN_RECORDS + 1) /* these numbers are below */
/* Whether an update is of the same record or group: one of them may wait behind the other, or be it. */
bool plan_waits_for(const struct plan *p, unsigned update, unsigned other);
/* Whether the fault is one that holds up this update alone, or its record. */
bool plan_concerns(const struct plan *p, const struct plan_fault *f, unsigned update);
/* Whether such a fault never ends: for the update, or another of its record or group, behind which it may wait. */
bool plan_is_stuck(const struct plan *p, unsigned update);
/* What the fault does to the way of its target; amount says which. */
enum sim_path plan_path(const struct plan_fault *f);
/* The same for a worker that is cut off. */
enum cut_way {
    CUT_UNCONNECTED,
    CUT_UNHEARD, /* silent: the request is lost */
    CUT_UNANSWERED, /* silent: the answer is lost */
    CUT_BEFORE, /* a connection that breaks: the request is lost */
    CUT_AFTER, /* …the answer is lost */
    CUT_EXPIRED,
    CUT_SKEWED,
    CUT_BOX, /* a box on its path says 503 */
    CUT_FOREIGN, /* …says 200 */
    CUT_HALF, /* each second call, in any of these ways */
    CUT_WAYS
};
static inline enum cut_way plan_cut_way(const struct plan_fault *f) {
    return (enum cut_way)(f->amount % CUT_WAYS);
}
static inline bool plan_cuts_dynamodb(const struct plan_fault *f) {
    return f->kind == FAULT_CUT_OFF && f->amount / CUT_WAYS % 3 != 1;
}
static inline bool plan_cuts_sqs(const struct plan_fault *f) {
    return f->kind == FAULT_CUT_OFF && f->amount / CUT_WAYS % 3 != 0;
}

/* plan_faults.c */
const char *fault_name(enum fault_kind kind);
void plan_draw_faults(struct plan *p, struct random *r);
/* plan_of_one.c: the plans with faults from FAULT_FIRST_OF_ONE on. */
/* Adds some to a plan that is drawn otherwise. */
void plan_add_faults(struct plan *p, struct random *r);
/* A worker or two that are cut off. */
void plan_add_cuts(struct plan *p, struct random *r);
/* Healthy messages all along, and one or two beside them that something is wrong with. */
void plan_draw_beside(struct plan *p, struct random *r);
/* plan_narrow.c: makes it a plan for one promise, where chance has it so. */
bool plan_draw_narrow(struct plan *p, struct random *r);
bool plan_draw_narrow_cut(struct plan *p, struct random *r);

/* plan_update.c: draws the updates and the messages that carry them. */
void plan_draw_updates(struct plan *p, struct random *r);
/* One more update, sent once. Returns its index. */
unsigned plan_add_update(struct plan *p, struct random *r, enum update_kind kind, unsigned record, int64_t at);
/* The same of a chain: it sets this version. */
unsigned plan_add_link(struct plan *p, struct random *r, unsigned record, unsigned version, int64_t at);
/* Among so many, uniformly. */
static inline unsigned pick(struct random *r, unsigned count) {
    return (unsigned)random_below(r, count);
}
static inline int64_t pick_within(struct random *r, int64_t length) {
    return (int64_t)random_below(r, (uint64_t)length);
}
#define PICK_OF(r, ...)                                                                                                \
    ((const unsigned[]){__VA_ARGS__}[pick((r), sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))])
