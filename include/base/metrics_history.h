/* The last fifteen minutes, in steps of ten seconds: what the page draws. */
#pragma once

#include "metrics.h"

#define HISTORY_STEP (10 * MICROSECONDS)
#define HISTORY_STEPS 90

struct history_step {
    int64_t wall; /* its end */
    int64_t duration; /* microseconds: about HISTORY_STEP, longer where the process stood still */
    uint64_t received, applied, returned, throttles, dead_lettered[METRICS_ERRORS]; /* within it */
    int64_t median, p99; /* microseconds from received to applied; METRICS_ABSENT: nothing was applied */
    int64_t in_flight, oldest_age, backlog, dlq; /* at its end; METRICS_ABSENT: not known */
};

struct metrics_history { /* zeroed: empty */
    struct history_step steps[HISTORY_STEPS]; /* a ring */
    uint64_t count; /* steps that were ever taken */
    struct metrics before; /* as they were at the end of the last step */
    int64_t at; /* monotonic: when that was */
};

/* Begins with what was counted until now. */
void metrics_history_begin(struct metrics_history *h, const struct metrics *m, int64_t now);
/* Ends a step; m's gauges are those of now. now: monotonic. */
void metrics_history_step(struct metrics_history *h, const struct metrics *m, int64_t now, int64_t wall);
/* How many steps are kept, and one of them, the oldest first. */
size_t metrics_history_length(const struct metrics_history *h);
const struct history_step *metrics_history_at(const struct metrics_history *h, size_t i);
/* Messages applied a second, over the last step; in tenths. */
uint64_t metrics_history_rate(const struct metrics_history *h);
