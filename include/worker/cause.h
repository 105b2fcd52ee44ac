/* Why something fails for everyone. What a command ends with for it is app's matter. */
#pragma once

enum cause {
    CAUSE_UNREACHABLE, /* no answer, or one that isn't the service's */
    CAUSE_THROTTLED,
    CAUSE_CREDENTIALS, /* there are none, or they are refused */
    CAUSE_DENIED, /* the policy doesn't allow it */
    CAUSE_CLOCK, /* this machine's clock is wrong */
    CAUSE_MISSING, /* a table or queue that isn't there; or the service refuses what is asked of it */
    CAUSE_CHANGED /* a table isn't what it was at the start */
};
