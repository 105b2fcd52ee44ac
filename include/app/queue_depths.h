/* How many messages lie on the queue and on the DLQ: SQS is asked once a minute. */
#pragma once

#include "discovery.h"
#include "metrics.h"
#include "platform.h"

struct queue_depths;
struct queue_depth {
    struct queue_depths *all;
    const char *url;
    struct metrics_depth *depth;
    struct call *call;
};

struct queue_depths { /* zeroed: nothing is asked */
    const struct platform *platform;
    struct timer timer;
    struct queue_depth queue, dlq;
};

/* Asks at once, and from then on. All must stay where it is. */
void queue_depths_start(struct queue_depths *d, const struct platform *platform, const struct discovery_facts *facts,
                        struct metrics *metrics);
/* Takes a zeroed one too. */
void queue_depths_stop(struct queue_depths *d);
