#include "plan.h"

#include "world.h"

#include <stdlib.h>
#include <string.h>

#define OF(r, ...) ((const unsigned[]){__VA_ARGS__}[pick((r), sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))])

static const char *const FAULT_NAMES[FAULT_KINDS] = {
    [FAULT_DB_UNREACHABLE] = "DynamoDB unreachable",
    [FAULT_DB_BROKEN] = "DynamoDB answers 5xx",
    [FAULT_DB_THROTTLED] = "throttle storm",
    [FAULT_DB_DENIED] = "DynamoDB denied",
    [FAULT_DB_LOST_REQUESTS] = "transactions lost",
    [FAULT_DB_LOST_ANSWERS] = "answers to transactions lost",
    [FAULT_DB_CONFLICTS] = "conflicts",
    [FAULT_DB_SOME_THROTTLED] = "some throttled",
    [FAULT_DB_SOME_BROKEN] = "some 500",
    [FAULT_DB_IN_PROGRESS] = "in progress",
    [FAULT_DB_SLOW] = "slow transactions",
    [FAULT_CONFIRM] = "audit table unreadable",
    [FAULT_DESCRIBE] = "tables undescribable",
    [FAULT_RECORDS] = "failure records refused",
    [FAULT_TABLE_MISSING] = "table missing",
    [FAULT_AUDIT_TABLE_MISSING] = "audit table missing",
    [FAULT_NO_CREDENTIALS] = "credentials gone",
    [FAULT_SQS_OUT] = "SQS out",
    [FAULT_RECEIVE] = "receives fail",
    [FAULT_DELETE] = "deletes fail",
    [FAULT_VISIBILITY] = "visibility changes fail",
    [FAULT_DLQ] = "DLQ down",
    [FAULT_RECEIVE_ANSWERS] = "answers to receives lost",
    [FAULT_DELETE_ANSWERS] = "answers to deletes lost",
    [FAULT_VISIBILITY_ANSWERS] = "answers to visibility changes lost",
    [FAULT_DLQ_ANSWERS] = "answers to DLQ sends lost",
    [FAULT_DUPLICATES] = "duplicates",
    [FAULT_REORDER] = "reordering",
    [FAULT_ENTRIES] = "batches fail in part",
    [FAULT_SHORT_POLLS] = "receives don't wait",
    [FAULT_EXPOSE] = "handles go stale",
    [FAULT_REDRIVE] = "DLQ redriven",
    [FAULT_CLOCK] = "clock jumps",
};

const char *fault_name(enum fault_kind kind) {
    return FAULT_NAMES[kind];
}

static int64_t within(struct random *r, int64_t length) {
    return (int64_t)random_below(r, (uint64_t)length);
}

/* From 10 ms up to the whole length, short ones as often as long ones. */
static int64_t draw_duration(struct random *r, int64_t length) {
    int64_t most = length;
    for (unsigned halvings = pick(r, 10); halvings > 0 && most > 20 * MILLISECOND; halvings--)
        most /= 2;
    return 10 * MILLISECOND + within(r, most);
}

static bool is_moment(enum fault_kind kind) {
    return kind == FAULT_EXPOSE || kind == FAULT_REDRIVE;
}

/* Whether a message that is only sometimes hit would hardly ever be, were it short. */
static bool is_by_chance(enum fault_kind kind) {
    return (kind >= FAULT_DB_LOST_REQUESTS && kind <= FAULT_DB_IN_PROGRESS) || (kind >= FAULT_RECEIVE_ANSWERS && kind <= FAULT_ENTRIES);
}

static unsigned draw_amount(struct random *r, enum fault_kind kind) {
    switch (kind) {
    case FAULT_DB_SOME_BROKEN: return 20 + pick(r, 60); /* rare enough that no message has a whole run of them */
    case FAULT_DB_SLOW: return 1 + pick(r, 25);          /* seconds */
    case FAULT_CLOCK: return 1 + pick(r, 7200);          /* seconds, the half of them backwards */
    default: return is_by_chance(kind) ? 50 + pick(r, 500) : pick(r, 1000);
    }
}

static void draw_faults(struct plan *p, struct random *r) {
    unsigned count = 4 + pick(r, 6);
    for (unsigned i = 0; i < count; i++) {
        enum fault_kind kind = (enum fault_kind)pick(r, FAULT_KINDS);
        if (p->fifo && (kind == FAULT_REORDER || kind == FAULT_DUPLICATES || kind == FAULT_EXPOSE))
            continue;
        struct plan_fault f = {.kind = kind, .at = within(r, p->length), .amount = draw_amount(r, kind)};
        f.lasts = is_moment(kind) ? 0 : is_by_chance(kind) ? p->length / 4 + within(r, p->length) : draw_duration(r, p->length);
        if (pick(r, 3) == 0)
            f.at = within(r, p->length / 20 + 1); /* when most is under way */
        p->faults[p->fault_count++] = f;
    }
}

static void draw_workers(struct plan *p, struct random *r) {
    p->worker_count = 2u + (pick(r, 3) ? 0 : 1u) + (pick(r, 6) ? 0 : 1u);
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = OF(r, 1, 2, 4, 10, 20, 256),
                                             .max_rate = pick(r, 4) ? 0 : OF(r, 1, 5, 20, 100),
                                             .max_attempts = OF(r, 1, 2, 3, 5),
                                             .visibility = OF(r, 10, 10, 13, 22, 47, 61),
                                             .shutdown_timeout = OF(r, 0, 1, 2, 5, 10, 25),
                                             .start = pick(r, 2) ? 0 : within(r, p->length)};
}

static void draw_events(struct plan *p, struct random *r) {
    unsigned count = pick(r, 6);
    for (unsigned i = 0; i < count; i++)
        p->events[p->event_count++] = (struct plan_event){.kind = (enum event_kind)pick(r, 3),
                                                          .worker = pick(r, p->worker_count),
                                                          .at = within(r, p->length),
                                                          .steps = pick(r, 40),
                                                          .restart = pick(r, 4) ? within(r, p->length) : -1};
}

/* A backlog that one worker works off, its rate given by DynamoDB's latency; an outage in between. */
static void draw_steady(struct plan *p, struct random *r) {
    p->length = 60 * SECOND;
    p->db_latency = 2 * SECOND;
    p->worker_count = 1 + pick(r, 2);
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = 4 + pick(r, 6),
                                             .max_rate = pick(r, 2) ? 0 : 5,
                                             .max_attempts = OF(r, 1, 3, 5),
                                             .visibility = OF(r, 10, 20, 60),
                                             .shutdown_timeout = 5};
    p->fault_count = 1;
    p->faults[0] = (struct plan_fault){.kind = (enum fault_kind)OF(r, FAULT_DB_UNREACHABLE, FAULT_DB_BROKEN, FAULT_DB_THROTTLED, FAULT_DB_DENIED,
                                                                   FAULT_NO_CREDENTIALS, FAULT_SQS_OUT, FAULT_TABLE_MISSING),
                                       .at = 60 * SECOND,
                                       .lasts = OF(r, 1, 30, 600, 10800) * SECOND,
                                       .amount = pick(r, 1000)};
}

void plan_draw(struct plan *p, uint64_t seed) {
    struct random random, *r = &random;
    random_seed(r, seed);
    *p = (struct plan){.seed = seed};
    p->sqs_latency = OF(r, 2, 10, 10, 50, 300) * MILLISECOND;
    p->db_latency = OF(r, 2, 10, 10, 50, 300) * MILLISECOND;
    p->length = OF(r, 2, 5, 20, 20, 60, 120, 120, 600) * SECOND;
    if (pick(r, 100) == 0)
        p->length = OF(r, 1, 3, 13, 26) * HOUR;
    if (pick(r, 100) == 0) {
        p->steady = true;
        draw_steady(p, r);
        return;
    }
    p->fifo = pick(r, 3) == 0;
    draw_workers(p, r);
    plan_draw_updates(p, r);
    draw_faults(p, r);
    draw_events(p, r);
}

void plan_done(struct plan *p) {
    for (unsigned u = 0; u < p->update_count; u++) {
        struct plan_update *update = &p->updates[u];
        if (update->inner != update->body)
            free(update->inner);
        free(update->body);
    }
}

unsigned plan_update_in(const struct plan *p, const char *text, size_t len) {
    const char *at = len ? memmem(text, len, "upd-", 4) : NULL;
    unsigned number = 0;
    if (!at)
        return p->update_count;
    for (at += 4; at < text + len && *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (unsigned)(*at - '0');
    return number < p->update_count ? number : p->update_count;
}

int64_t plan_quiet_at(const struct plan *p) {
    int64_t last = 0;
    for (unsigned i = 0; i < p->message_count; i++)
        if (!p->messages[i].left_out && p->messages[i].at > last)
            last = p->messages[i].at;
    for (unsigned i = 0; i < p->fault_count; i++)
        if (!p->faults[i].left_out && p->faults[i].at + p->faults[i].lasts > last)
            last = p->faults[i].at + p->faults[i].lasts;
    for (unsigned i = 0; i < p->event_count; i++) {
        const struct plan_event *e = &p->events[i];
        if (!e->left_out && e->at > last)
            last = e->at;
    }
    return last;
}

bool plan_has(const struct plan *p, enum update_kind kind) {
    for (unsigned i = 0; i < p->message_count; i++)
        if (!p->messages[i].left_out && p->updates[p->messages[i].update].kind == kind)
            return true;
    return false;
}
