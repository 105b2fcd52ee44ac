#include "plan.h"

#include "world.h"

#include <stdlib.h>
#include <string.h>

static void draw_workers(struct plan *p, struct random *r) {
    p->worker_count = 2u + (pick(r, 3) ? 0 : 1u) + (pick(r, 6) ? 0 : 1u);
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = PICK_OF(r, 1, 2, 4, 10, 20, 256),
                                             .max_rate = pick(r, 4) ? 0 : PICK_OF(r, 1, 5, 20, 100),
                                             .max_attempts = PICK_OF(r, 1, 2, 3, 5),
                                             .visibility = PICK_OF(r, 10, 10, 13, 22, 47, 61),
                                             .shutdown_timeout = PICK_OF(r, 0, 1, 2, 5, 10, 25),
                                             .start = pick(r, 2) ? 0 : pick_within(r, p->length)};
}

static void draw_events(struct plan *p, struct random *r) {
    unsigned count = pick(r, 6);
    for (unsigned i = 0; i < count; i++)
        p->events[p->event_count++] = (struct plan_event){.kind = (enum event_kind)pick(r, 3),
                                                          .worker = pick(r, p->worker_count),
                                                          .at = pick_within(r, p->length),
                                                          .steps = pick(r, 40),
                                                          .restart = pick(r, 4) ? pick_within(r, p->length) : -1};
}

/* A backlog that one worker works off, its rate given by DynamoDB's latency; an outage in between. */
static void draw_steady(struct plan *p, struct random *r) {
    p->steady = true;
    p->length = 60 * SECOND;
    p->db_latency = 2 * SECOND;
    p->worker_count = 1 + pick(r, 2);
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = 4 + pick(r, 6),
                                             .max_rate = pick(r, 2) ? 0 : 5,
                                             .max_attempts = PICK_OF(r, 1, 3, 5),
                                             .visibility = PICK_OF(r, 10, 20, 60),
                                             .shutdown_timeout = 5};
    p->fault_count = 1;
    p->faults[0] = (struct plan_fault){
        .kind = (enum fault_kind)PICK_OF(r, FAULT_DB_UNREACHABLE, FAULT_DB_BROKEN, FAULT_DB_THROTTLED, FAULT_DB_DENIED,
                                         FAULT_NO_CREDENTIALS, FAULT_SQS_OUT, FAULT_TABLE_MISSING),
        .at = 60 * SECOND,
        .lasts = PICK_OF(r, 1, 30, 600, 10800) * SECOND,
        .amount = pick(r, 1000)};
}

static void draw(struct plan *p, struct random *r) {
    p->sqs_latency = PICK_OF(r, 2, 10, 10, 50, 300) * MILLISECOND;
    p->db_latency = PICK_OF(r, 2, 10, 10, 50, 300) * MILLISECOND;
    p->length = PICK_OF(r, 2, 5, 20, 20, 60, 120, 120, 600) * SECOND;
    if (pick(r, 100) == 0)
        p->length = PICK_OF(r, 1, 3, 13, 26) * HOUR;
    if (pick(r, 100) == 0) {
        draw_steady(p, r);
        return;
    }
    p->fifo = pick(r, 3) == 0;
    draw_workers(p, r);
    plan_draw_updates(p, r);
    plan_draw_faults(p, r);
    draw_events(p, r);
}

void plan_draw(struct plan *p, uint64_t seed, enum plan_kinds kinds) {
    struct random random, more, cuts; /* what the later kinds take leaves the others' plans as they are */
    random_seed(&random, seed);
    random_seed(&more, ~seed);
    random_seed(&cuts, ~seed ^ 0x5555555555555555);
    *p = (struct plan){.seed = seed};
    bool later = kinds != PLAN_KINDS_OLD, has_later = later && (pick(&more, 3) == 0 || kinds == PLAN_KINDS_NEW);
    if (has_later && pick(&more, 3) == 0) {
        plan_draw_beside(p, &more);
        p->later = later;
        return;
    }
    if (has_later && pick(&more, 12) == 0) {
        p->sqs_latency = PICK_OF(&more, 2, 10, 50) * MILLISECOND;
        draw_steady(p, &more);
        p->faults[0].kind =
            (enum fault_kind)PICK_OF(&more, FAULT_UNDELETED, FAULT_UNDELETED, FAULT_ALL_REFUSED, FAULT_FOREIGN);
        p->later = later;
        return;
    }
    if (kinds == PLAN_KINDS_CUT && plan_draw_narrow_cut(p, &cuts)) {
        p->later = later;
        return;
    }
    draw(p, &random);
    p->later = later;
    if (has_later && !p->steady)
        plan_add_faults(p, &more);
    if (kinds == PLAN_KINDS_CUT && !p->steady)
        plan_add_cuts(p, &cuts);
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
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *f = &p->faults[i];
        if (!f->left_out && f->lasts != FOR_GOOD && f->at + f->lasts > last)
            last = f->at + f->lasts;
    }
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

bool plan_may_count(const struct plan *p) {
    bool has[FAULT_KINDS] = {false};
    unsigned messages = 0, kinds = 0;
    for (unsigned i = 0; i < p->message_count; i++)
        messages += !p->messages[i].left_out;
    for (unsigned i = 0; i < p->fault_count; i++) {
        kinds += !p->faults[i].left_out && !has[p->faults[i].kind];
        has[p->faults[i].kind] = has[p->faults[i].kind] || !p->faults[i].left_out;
    }
    return messages >= COUNTED_MESSAGES && p->worker_count >= COUNTED_WORKERS && kinds >= COUNTED_FAULTS;
}

bool plan_needs_company(const struct plan *p) {
    return plan_has(p, UPDATE_POISON) || plan_has(p, UPDATE_REFUSED);
}

unsigned plan_record(const struct plan *p, unsigned update) {
    const struct plan_update *u = &p->updates[update];
    switch (u->kind) {
    case UPDATE_CHAIN: return PLAN_RECORDS + u->record;
    case UPDATE_NOBODY: return 2 * PLAN_RECORDS + u->record;
    case UPDATE_POISON: return 3 * PLAN_RECORDS + u->record;
    default: return u->record;
    }
}

bool plan_concerns(const struct plan *p, const struct plan_fault *f, unsigned update) {
    if (f->left_out || update >= p->update_count)
        return false;
    if (f->kind == FAULT_HOT_RECORD)
        return p->updates[update].kind != UPDATE_INVALID && plan_record(p, f->target) == plan_record(p, update);
    return f->kind >= FAULT_PATH_TRANSACT && f->kind <= FAULT_PATH_RECEIVE && f->target == update;
}

bool plan_waits_for(const struct plan *p, unsigned update, unsigned other) {
    bool same_group = p->fifo && p->updates[update].group == p->updates[other].group;
    return same_group || plan_record(p, update) == plan_record(p, other);
}

bool plan_is_stuck(const struct plan *p, unsigned update) {
    for (unsigned i = 0; i < p->fault_count; i++)
        for (unsigned other = 0; p->faults[i].lasts == FOR_GOOD && other < p->update_count; other++)
            if (plan_concerns(p, &p->faults[i], other) && plan_waits_for(p, update, other))
                return true;
    return false;
}

enum sim_path plan_path(const struct plan_fault *f) {
    unsigned ways = f->kind == FAULT_PATH_DLQ ? SIM_PATHS_BEFORE : SIM_PATHS; /* what a DLQ says is never too long */
    return (enum sim_path)(1 + f->amount % (ways - 1));
}
