/* Plans with the faults that concern one message or one record, and others that were learnt of later than those of
 * plan_faults.c. */
#include "plan.h"

#include "clock.h"

static bool goes_to_the_dlq(const struct plan_update *u) {
    return u->kind == UPDATE_NOBODY || u->kind == UPDATE_FALSE || u->kind == UPDATE_INVALID;
}

/* Whether the fault can strike there at all. */
static bool fits(enum fault_kind kind, const struct plan_update *u) {
    switch (kind) {
    case FAULT_PATH_READ: return u->audited && (u->kind == UPDATE_NOBODY || u->kind == UPDATE_FALSE);
    case FAULT_PATH_DLQ: return goes_to_the_dlq(u);
    case FAULT_PATH_RECEIVE: return true;
    default: return u->kind != UPDATE_INVALID;
    }
}

static unsigned draw_target(const struct plan *p, struct random *r, enum fault_kind kind) {
    unsigned target = pick(r, p->update_count);
    if (kind == FAULT_SUSPEND)
        return pick(r, 5) ? pick(r, p->worker_count) : PLAN_EVERY_WORKER;
    for (unsigned tries = 0; tries < p->update_count && !fits(kind, &p->updates[target]); tries++)
        target = (target + 1) % p->update_count;
    return target;
}

static int64_t draw_lasts(const struct plan *p, struct random *r, enum fault_kind kind, bool may_be_for_good) {
    switch (kind) {
    case FAULT_SUSPEND: return PICK_OF(r, 1, 5, 12, 30, 70, 120, 900, 7200) * SECOND;
    case FAULT_UNDELETED: return PICK_OF(r, 60, 300, 900, 3600) * SECOND;
    case FAULT_ALL_REFUSED:
    case FAULT_FOREIGN:
        return pick(r, 2) ? 10 * MILLISECOND + pick_within(r, p->length) : PICK_OF(r, 30, 120, 900) * SECOND;
    case FAULT_SOME_REFUSED:
    case FAULT_INDEX: return p->length / 4 + pick_within(r, p->length);
    default:
        if (may_be_for_good && pick(r, 3) == 0)
            return FOR_GOOD;
        return pick(r, 2) ? p->length / 4 + pick_within(r, p->length) : PICK_OF(r, 10, 60, 600, 1800) * SECOND;
    }
}

static void add_fault(struct plan *p, struct random *r, enum fault_kind kind, bool may_be_for_good) {
    struct plan_fault f = {.kind = kind,
                           .at = pick(r, 3) ? pick_within(r, p->length) : pick_within(r, p->length / 20 + 1)};
    f.amount = kind == FAULT_SOME_REFUSED ? 20 + pick(r, 200) : pick(r, 1000);
    f.target = draw_target(p, r, kind);
    f.lasts = draw_lasts(p, r, kind, may_be_for_good);
    p->faults[p->fault_count++] = f;
}

void plan_add_faults(struct plan *p, struct random *r) {
    unsigned count = 1 + pick(r, 3);
    bool company = plan_needs_company(p);
    if (pick(r, 3) == 0)
        p->fault_count = p->fault_count ? 1 : 0; /* so that what they do shows */
    if (!company && !p->fifo && p->workers[0].max_in_flight >= 4 && pick(r, 6) == 0) {
        struct plan_update *u = &p->updates[pick(r, p->update_count)];
        if (u->kind == UPDATE_PLAIN) {
            u->kind = UPDATE_REFUSED;
            company = true;
        }
    }
    for (unsigned i = 0; i < count && p->fault_count < PLAN_FAULTS_MAX; i++)
        add_fault(p, r, (enum fault_kind)(FAULT_FIRST_OF_ONE + pick(r, FAULT_CUT_OFF - FAULT_FIRST_OF_ONE)),
                  !p->fifo && !company);
}

void plan_add_cuts(struct plan *p, struct random *r) {
    for (unsigned count = 1 + pick(r, 2); count > 0 && p->fault_count < PLAN_FAULTS_MAX; count--) {
        struct plan_fault f = {.kind = FAULT_CUT_OFF,
                               .at = pick_within(r, pick(r, 3) ? p->length : p->length / 20 + 1),
                               .amount = pick(r, 1000),
                               .target = pick(r, p->worker_count)};
        f.lasts = pick(r, 2) ? 10 * MILLISECOND + pick_within(r, p->length)
                             : PICK_OF(r, 1, 5, 12, 30, 70, 120, 900, 3600) * SECOND;
        p->faults[p->fault_count++] = f;
    }
}

/* An update that something is wrong with, from a moment before it is sent on. */
static void add_bad(struct plan *p, struct random *r, enum fault_kind kind) {
    static const enum update_kind letters[] = {UPDATE_NOBODY, UPDATE_FALSE, UPDATE_INVALID};
    int64_t at = pick(r, 2) ? 0 : pick_within(r, p->length / 2),
            sent = at + (pick(r, 2) ? 0 : pick_within(r, p->length / 4));
    unsigned u = 0, record = p->update_count % PLAN_RECORDS;
    if (kind == FAULT_PATH_DLQ)
        u = plan_add_update(p, r, letters[pick(r, 3)], record, sent);
    else if (kind == FAULT_PATH_READ)
        u = plan_add_update(p, r, letters[pick(r, 2)], record, sent);
    else
        u = plan_add_update(p, r, UPDATE_PLAIN, record, sent);
    for (unsigned more = kind == FAULT_HOT_RECORD ? pick(r, 3) : 0; more > 0; more--)
        plan_add_update(p, r, UPDATE_PLAIN, record, sent + pick_within(r, p->length / 4));
    p->faults[p->fault_count++] = (struct plan_fault){
        .kind = kind, .at = at, .lasts = draw_lasts(p, r, kind, true), .amount = pick(r, 1000), .target = u};
}

void plan_draw_beside(struct plan *p, struct random *r) {
    static const int64_t intervals[] = {8 * SECOND, 8 * SECOND, SECOND, 333 * MILLISECOND, 50 * MILLISECOND};
    p->sqs_latency = PICK_OF(r, 2, 10, 50) * MILLISECOND;
    p->db_latency = PICK_OF(r, 2, 10, 50) * MILLISECOND;
    p->feed_every = intervals[pick(r, 5)];
    p->length = p->feed_every * (p->feed_every >= SECOND ? 40 : 400);
    p->fifo = pick(r, 4) == 0;
    p->worker_count = 1 + pick(r, 2);
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = PICK_OF(r, 16, 24, 40, 256),
                                             .max_attempts = PICK_OF(r, 1, 3, 5),
                                             .visibility = PICK_OF(r, 10, 13, 22),
                                             .shutdown_timeout = 10};
    if (plan_draw_narrow(p, r))
        return;
    for (unsigned bad = 1 + pick(r, 2); bad > 0; bad--)
        add_bad(p, r, (enum fault_kind)(FAULT_PATH_TRANSACT + pick(r, FAULT_HOT_RECORD - FAULT_PATH_TRANSACT + 1)));
    /* Mates of theirs on the way to the DLQ. */
    for (unsigned mates = pick(r, 6); mates > 0; mates--)
        plan_add_update(p, r, pick(r, 2) ? UPDATE_NOBODY : UPDATE_INVALID, PLAN_RECORDS - 1, pick_within(r, p->length));
}
