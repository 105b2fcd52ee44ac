/* One plan, carried out in a world of its own. */
#pragma once

#include "plan.h"
#include "trace.h"

struct run_result {
    bool ended; /* all messages came to their end */
    bool counted; /* …and there were messages, workers and faults enough for it to count */
    bool broken; /* some promise was */
    bool operated; /* an update with operations (increment, append) was applied */
    char *violations; /* a line each; to be freed */
    unsigned faults_struck; /* kinds */
    uint64_t struck[FAULT_KINDS];
    uint64_t deliveries, steps, hash;
};

void run_plan(const struct plan *p, FILE *trace, struct run_result *ret_result);
