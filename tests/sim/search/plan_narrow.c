/* Plans made for one promise: what it takes to break it comes together by chance in one of thousands of the others. */
#include "plan.h"

#include "clock.h"

/* One worker without groups: no other does what it should have done. */
static void leave_alone(struct plan *p) {
    p->fifo = false;
    p->worker_count = 1;
}

static void add_fault(struct plan *p, struct random *r, enum fault_kind kind, unsigned target, int64_t lasts) {
    p->faults[p->fault_count++] =
        (struct plan_fault){.kind = kind, .at = 0, .lasts = lasts, .amount = pick(r, 1000), .target = target};
}

/* The tables change under way, and that makes nothing wait: neither the healthy nor what DynamoDB refuses. */
static void draw_index_change(struct plan *p, struct random *r) {
    p->worker_count = 1; /* it sees all that succeed */
    p->feed_every = SECOND;
    p->length = 400 * SECOND;
    plan_add_update(p, r, UPDATE_PLAIN, 0, 0);
    for (unsigned refused = 1 + pick(r, 2); refused > 0; refused--)
        plan_add_update(p, r, UPDATE_REFUSED, 1, p->length / 4 + pick_within(r, p->length / 8));
    p->faults[p->fault_count++] = (struct plan_fault){
        .kind = FAULT_INDEX, .at = p->length / 4, .lasts = p->length * 5 / 8, .amount = pick(r, 1000)};
    p->faults[p->fault_count++] =
        (struct plan_fault){.kind = FAULT_SOME_REFUSED, .at = 0, .lasts = p->length, .amount = 20 + pick(r, 50)};
}

/* The first that a fresh worker meets are of a throttled record. */
static void draw_hot_beginning(struct plan *p, struct random *r) {
    leave_alone(p);
    for (unsigned count = 2 + pick(r, 3); count > 0; count--)
        plan_add_update(p, r, UPDATE_PLAIN, 0, 0);
    add_fault(p, r, FAULT_HOT_RECORD, 0, pick(r, 2) ? FOR_GOOD : HOUR);
}

/* Messages come now and then to processes that stand for longer than a visibility timeout, a long poll open. */
static void draw_suspended(struct plan *p, struct random *r) {
    p->feed_every = 0;
    p->length = 600 * SECOND;
    for (unsigned count = 20 + pick(r, 10); count > 0; count--)
        plan_add_update(p, r, UPDATE_PLAIN, pick(r, PLAN_RECORDS), pick_within(r, p->length));
    for (unsigned count = 2 + pick(r, 3); count > 0; count--)
        p->faults[p->fault_count++] = (struct plan_fault){.kind = FAULT_SUSPEND,
                                                          .at = pick_within(r, p->length),
                                                          .lasts = PICK_OF(r, 30, 70, 120) * SECOND,
                                                          .target = pick(r, p->worker_count)};
}

/* What leaves for the DLQ in one batch, one of it stopped on the way. */
static void draw_stopped_batch(struct plan *p, struct random *r) {
    int64_t at = pick_within(r, p->length / 2);
    leave_alone(p);
    for (unsigned count = 4 + pick(r, 6); count > 0; count--)
        plan_add_update(p, r, UPDATE_INVALID, 0, at + pick_within(r, 10 * MILLISECOND));
    add_fault(p, r, FAULT_PATH_DLQ, pick(r, p->update_count), pick(r, 2) ? FOR_GOOD : HOUR);
}

/* What can't be confirmed for a while, and in the end one message beside it alone, whose transactions are stopped. */
static void draw_lonely_reads(struct plan *p, struct random *r) {
    leave_alone(p);
    for (unsigned u = 0; u < 3; u++) {
        plan_add_update(p, r, pick(r, 2) ? UPDATE_NOBODY : UPDATE_FALSE, u, 0);
        add_fault(p, r, FAULT_PATH_READ, u, p->length + 20 * MINUTE);
    }
    add_fault(p, r, FAULT_PATH_TRANSACT, plan_add_update(p, r, UPDATE_PLAIN, PLAN_RECORDS - 1, 0), FOR_GOOD);
}

bool plan_draw_narrow(struct plan *p, struct random *r) {
    switch (pick(r, 12)) {
    case 0:
    case 1: draw_index_change(p, r); return true;
    case 2: draw_hot_beginning(p, r); return true;
    case 3: draw_suspended(p, r); return true;
    case 4: draw_stopped_batch(p, r); return true;
    case 5: draw_lonely_reads(p, r); return true;
    default: return false;
    }
}

/* A worker finds that conditions are false, and is cut off from SQS before it can tell the DLQ. Meanwhile what they
 * waited for is sent, and another worker applies it, and them as well once they are visible again. */
bool plan_draw_narrow_cut(struct plan *p, struct random *r) {
    if (pick(r, 6))
        return false;
    p->sqs_latency = p->db_latency = PICK_OF(r, 2, 10, 50) * MILLISECOND;
    p->length = 120 * SECOND;
    p->worker_count = 2;
    for (unsigned i = 0; i < p->worker_count; i++)
        p->workers[i] = (struct plan_worker){.max_in_flight = 20,
                                             .max_attempts = 3,
                                             .visibility = PICK_OF(r, 10, 13, 22),
                                             .shutdown_timeout = 10,
                                             .start = i * (SECOND + pick_within(r, 5 * SECOND))};
    for (unsigned record = 0; record < PLAN_RECORDS; record++) {
        plan_add_link(p, r, record, 2, pick_within(r, 20 * MILLISECOND));
        plan_add_link(p, r, record, 1, SECOND + pick_within(r, 10 * SECOND));
    }
    for (unsigned more = 8 + pick(r, 8); more > 0; more--)
        plan_add_update(p, r, UPDATE_PLAIN, pick(r, PLAN_RECORDS), pick_within(r, p->length));
    plan_draw_faults(p, r);
    p->fault_count = p->fault_count < 2 ? p->fault_count : 2;
    p->faults[p->fault_count++] = (struct plan_fault){.kind = FAULT_CUT_OFF,
                                                      .at = pick_within(r, 12 * p->sqs_latency + 100 * MILLISECOND),
                                                      .lasts = (15 + pick(r, 75)) * SECOND,
                                                      .amount = CUT_WAYS + pick(r, CUT_WAYS)};
    return true;
}
