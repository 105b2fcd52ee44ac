/* A queue worker as seen from outside: for the metrics, the health endpoints and the service manager. */
#pragma once

#include "metrics.h"
#include "queue_worker.h"

#include <stdbool.h>
#include <stdint.h>

/* One part of its work, and whether it is held back. */
struct worker_trouble {
    bool is; /* in trouble; else the other members mean nothing */
    enum metrics_cause cause;
    const char *code; /* why, in AWS's word or a few of ours; borrowed until control returns to the loop */
    int64_t since; /* monotonic */
    unsigned messages; /* messages that wait for this part to work again */
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
