/* How a piece of work ended. What the command ends with for it is app's matter. */
#pragma once

#include "cause.h"

enum ending {
    ENDED_WELL,
    ENDED_SOME_FAILED, /* some message failed (apply) or was left (run --until-empty) */
    ENDED_STOPPED, /* before the work was done */
    ENDED_BY_CAUSE /* it can't begin, or can't go on */
};

struct outcome {
    enum ending ending;
    enum cause cause; /* of ENDED_BY_CAUSE; else it means nothing */
};

/* Of an ending that has no cause. */
static inline struct outcome outcome_of(enum ending ending) {
    return (struct outcome){.ending = ending};
}
/* It can't begin, or can't go on, because of this. */
static inline struct outcome outcome_by(enum cause cause) {
    return (struct outcome){ENDED_BY_CAUSE, cause};
}
/* Whether all was done, and nothing failed or was left. */
static inline bool outcome_is_well(struct outcome outcome) {
    return outcome.ending == ENDED_WELL;
}
/* Of two, each well or by a cause, the one to be told: what doesn't fit comes before permissions, these before what may
 * pass. */
struct outcome outcome_worse(struct outcome a, struct outcome b);
