#include "outcome.h"

static unsigned weight(struct outcome outcome) {
    if (outcome_is_well(outcome))
        return 0;
    return cause_may_pass(outcome.cause) ? 1 : cause_is_of_permission(outcome.cause) ? 2 : 3;
}

struct outcome outcome_worse(struct outcome a, struct outcome b) {
    return weight(b) > weight(a) ? b : a;
}
