#include "audit_life.h"

#include "clock.h"

#define DAY (86400 * MICROSECONDS)
#define CLOCK_SLACK (3600 * MICROSECONDS) /* by so much the clocks of the writers and ours may differ */

void audit_life_init(struct audit_life *life, enum audit_removal removal, unsigned lifetime_days, int64_t began) {
    *life = (struct audit_life){.removal = removal, .lifetime = lifetime_days * DAY, .began = began};
}

void audit_life_learn(struct audit_life *life, const struct audit_look *look) {
    int64_t lifetime = !look->expires                                   ? NEVER
                       : look->written && look->expires > look->written ? look->expires - look->written
                                                                        : 0;
    if (!lifetime && look->expires) {
        return; /* its times say nothing */
    }
    if (!life->lifetime || lifetime < life->lifetime) {
        life->lifetime = lifetime;
    }
}

bool audit_life_is_certain(const struct audit_life *life, int64_t wall) {
    if (life->removal == REMOVAL_OFF || life->lifetime == NEVER) {
        return true;
    }
    if (!life->lifetime) {
        return life->removal == REMOVAL_NOT_TOLD;
    }
    return life->began && life->began + life->lifetime - CLOCK_SLACK > wall;
}

const char *audit_life_doubt(const struct audit_life *life) {
    if (!life->lifetime) {
        return "The audit table removes records by TTL, and how long they live isn't known here: set "
               "AUDIT_LOG_TTL_DAYS "
               "to what the workers have";
    }
    if (!life->began) {
        return "The audit table removes records by TTL, and when the job began isn't known: its checkpoint "
               "(NAME.table-updater-job) isn't beside the file";
    }
    return "Since the job began audit records have had the time to be removed by TTL: look at the table itself, or "
           "enqueue the rows anew under another job's name, where applying them twice does no harm";
}
