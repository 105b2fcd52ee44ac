/* The faults of a plan: their names, and how the usual ones are drawn. */
#include "plan.h"

#include "clock.h"

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
    [FAULT_PATH_TRANSACT] = "one update's transactions stopped",
    [FAULT_PATH_READ] = "one update's reads stopped",
    [FAULT_PATH_DLQ] = "one update's DLQ batches stopped",
    [FAULT_PATH_RECEIVE] = "one update's receives stopped",
    [FAULT_HOT_RECORD] = "one record throttled",
    [FAULT_ALL_REFUSED] = "all refused",
    [FAULT_SOME_REFUSED] = "some refused",
    [FAULT_FOREIGN] = "answers of others",
    [FAULT_UNDELETED] = "deletes fail for long",
    [FAULT_SUSPEND] = "suspended",
    [FAULT_INDEX] = "an index more",
    [FAULT_CUT_OFF] = "one worker cut off",
};

const char *fault_name(enum fault_kind kind) {
    return FAULT_NAMES[kind];
}

/* From 10 ms up to the whole length, short ones as often as long ones. */
static int64_t draw_duration(struct random *r, int64_t length) {
    int64_t most = length;
    for (unsigned halvings = pick(r, 10); halvings > 0 && most > 20 * MILLISECOND; halvings--)
        most /= 2;
    return 10 * MILLISECOND + pick_within(r, most);
}

static bool is_moment(enum fault_kind kind) {
    return kind == FAULT_EXPOSE || kind == FAULT_REDRIVE;
}

/* Whether a message that is only sometimes hit would hardly ever be, were it short. */
static bool is_by_chance(enum fault_kind kind) {
    return (kind >= FAULT_DB_LOST_REQUESTS && kind <= FAULT_DB_IN_PROGRESS) ||
           (kind >= FAULT_RECEIVE_ANSWERS && kind <= FAULT_ENTRIES);
}

static unsigned draw_amount(struct random *r, enum fault_kind kind) {
    switch (kind) {
    case FAULT_DB_SOME_BROKEN: return 20 + pick(r, 60); /* rare enough that no message has a whole run of them */
    case FAULT_DB_SLOW: return 1 + pick(r, 25); /* seconds */
    case FAULT_CLOCK: return 1 + pick(r, 7200); /* seconds, the half of them backwards */
    default: return is_by_chance(kind) ? 50 + pick(r, 500) : pick(r, 1000);
    }
}

void plan_draw_faults(struct plan *p, struct random *r) {
    unsigned count = 4 + pick(r, 6);
    for (unsigned i = 0; i < count; i++) {
        enum fault_kind kind = (enum fault_kind)pick(r, FAULT_FIRST_OF_ONE);
        if (p->fifo && (kind == FAULT_REORDER || kind == FAULT_DUPLICATES || kind == FAULT_EXPOSE))
            continue;
        struct plan_fault f = {.kind = kind, .at = pick_within(r, p->length), .amount = draw_amount(r, kind)};
        f.lasts = is_moment(kind)      ? 0
                  : is_by_chance(kind) ? p->length / 4 + pick_within(r, p->length)
                                       : draw_duration(r, p->length);
        if (pick(r, 3) == 0)
            f.at = pick_within(r, p->length / 20 + 1); /* when most is under way */
        p->faults[p->fault_count++] = f;
    }
}
