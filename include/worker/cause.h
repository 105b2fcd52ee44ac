/* Why something fails for every message. Which exit code follows from it, app decides. */
#pragma once

#include <stdbool.h>

enum cause {
    CAUSE_UNREACHABLE, /* no answer, or one that isn't the service's */
    CAUSE_THROTTLED,
    CAUSE_CREDENTIALS, /* there are none, or they are refused */
    CAUSE_DENIED, /* the policy doesn't allow it */
    CAUSE_CLOCK, /* this machine's clock is wrong */
    CAUSE_MISSING, /* a table or queue isn't there, or the service refuses what we ask of it */
    CAUSE_CHANGED, /* a table isn't what it was at the start */
    CAUSE_UNFIT /* a setting is wrong, or what it names doesn't fit the rest */
};

/* Whether it may pass by itself. Else somebody has to mend something. */
static inline bool cause_may_pass(enum cause cause) {
    return cause == CAUSE_UNREACHABLE || cause == CAUSE_THROTTLED;
}
/* Whether it is about who we are and what we may do. */
static inline bool cause_is_of_permission(enum cause cause) {
    return cause == CAUSE_CREDENTIALS || cause == CAUSE_DENIED || cause == CAUSE_CLOCK;
}
