/* What can be seen of a queue worker from outside, for the metrics, health and the service manager. */
#pragma once

#include "metrics.h"
#include "queue_worker.h"

#include <stdbool.h>
#include <stdint.h>

/* One part of its work that is held back. */
struct worker_trouble {
    bool is; /* in trouble; else the rest means nothing */
    enum metrics_cause cause;
    const char *code; /* in AWS's words, or a few of ours; borrowed until the loop goes on */
    int64_t since; /* monotonic */
    unsigned messages; /* that wait for it */
};

struct worker_view {
    struct worker_trouble troubles[METRICS_PARTS]; /* of METRICS_APPLYING to METRICS_DEAD_LETTERING */
    unsigned in_flight[METRICS_STATES];
    unsigned receives; /* under way */
    unsigned rate; /* transactions a second that are possible now; 0: no bound is known */
    int64_t oldest_sent; /* wall: when the oldest message in flight was sent; 0: there is none, or it isn't known */
    bool draining;
};

/* Takes longer the more messages are in flight: 10,000 are looked at in some tens of microseconds. */
struct worker_view queue_worker_view(const struct queue_worker *w);
