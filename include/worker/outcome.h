/* How a piece of work ended. Which exit code follows from it, app decides. */
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
    enum cause cause; /* only of ENDED_BY_CAUSE */
};

/* An outcome without a cause. */
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
/* The one to report of two, each of which ended well or by a cause: a wrong setting, table or queue goes before
 * permissions, and these before what may pass. */
struct outcome outcome_worse(struct outcome a, struct outcome b);
