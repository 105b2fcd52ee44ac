/* Whether an audit record that isn't there can have been there: DynamoDB's TTL removes records once their expires_at is
 * past, and what was removed tells nothing of its row. Pure. */
#pragma once

#include "audit_table.h"

#include <stdbool.h>
#include <stdint.h>

enum audit_removal {
    REMOVAL_OFF, /* the table removes nothing */
    REMOVAL_ON,
    REMOVAL_NOT_TOLD /* whether it removes any couldn't be asked */
};

struct audit_life {
    enum audit_removal removal;
    int64_t lifetime; /* microseconds that a record lives at least; 0: not known; NEVER: no record ends */
    int64_t began; /* wall: no record of this job was written before; 0: not known */
};

/* lifetime_days: AUDIT_LOG_TTL_DAYS; 0: not set here. */
void audit_life_init(struct audit_life *life, enum audit_removal removal, unsigned lifetime_days, int64_t began);
/* Takes note of how long a record that was found lives. */
void audit_life_learn(struct audit_life *life, const struct audit_look *look);
/* Whether a record that is missing at this time (wall) was never written. */
bool audit_life_is_certain(const struct audit_life *life, int64_t wall);
/* Why it isn't certain, and what would make it so: a sentence. */
const char *audit_life_doubt(const struct audit_life *life);
