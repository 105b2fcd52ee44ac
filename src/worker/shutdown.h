/* The end of a worker, step by step: what runs is finished in the time that it has, the rest is returned. Pure: it is
 * told what there is, and says what is to be done. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum worker_phase {
    PHASE_WORKING,
    PHASE_DRAINING, /* what runs is finished, the rest is returned as soon as no receive is open */
    PHASE_LEAVING, /* everything is returned, as soon as no receive is open */
    PHASE_EMPTYING, /* everything has been returned; the answers are awaited */
    PHASE_ENDED
};

struct shutdown {
    enum worker_phase phase;
    int64_t seconds; /* SHUTDOWN_TIMEOUT */
    int64_t began_at; /* monotonic */
    int64_t until; /* monotonic: the phase's end at the latest */
};

struct shutdown_view {
    int64_t now; /* monotonic */
    unsigned in_flight; /* messages */
    unsigned receives; /* open */
    bool records_wait; /* audit records of failures are being written */
};

enum shutdown_step {
    SHUTDOWN_WAIT,
    SHUTDOWN_RETURN_IDLE, /* what doesn't run is returned */
    SHUTDOWN_RETURN_ALL, /* receives end, everything is returned; then the next step follows at once */
    SHUTDOWN_END /* the worker's end is reported */
};

/* The drain begins. seconds: the time for the whole shutdown. */
void shutdown_begin(struct shutdown *s, unsigned seconds, int64_t now);
/* Nothing that runs is waited for any longer. */
void shutdown_hasten(struct shutdown *s);
/* What is to be done now; asked for whenever something has changed, and when the phase's time is over. */
enum shutdown_step shutdown_step(struct shutdown *s, const struct shutdown_view *v);
/* Whether a shutdown is under way. */
static inline bool shutdown_is_under_way(const struct shutdown *s) {
    return s->phase != PHASE_WORKING && s->phase != PHASE_ENDED;
}
