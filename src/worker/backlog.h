/* Will the backlog be worked off before SQS drops its oldest messages? Looked at now and then while there is work. */
#pragma once

#include "discovery.h"
#include "platform.h"

/* What the worker has done until now. */
struct backlog_view {
    uint64_t received, done; /* messages */
    unsigned in_flight;
};

struct backlog {
    const struct platform *platform;
    const struct queue_facts *queue; /* borrowed */
    struct backlog_view (*view)(void *ctx);
    void *ctx;
    struct timer timer;
    struct call *call;
    unsigned retention; /* seconds; 0: not told */
    int64_t looked_at; /* monotonic */
    int64_t silent_until; /* monotonic: a warning is not repeated before */
    int64_t oldest_sent; /* wall: when the oldest message received since the last look was sent; where none came since,
                            of those before it. 0: none ever came */
    bool looked; /* a look has been made since the last message came */
    uint64_t counted_before; /* the backlog at the last look */
    struct backlog_view before; /* likewise */
};

/* queue is borrowed. */
void backlog_start(struct backlog *b, const struct platform *platform, const struct queue_facts *queue,
                   struct backlog_view (*view)(void *ctx), void *ctx);
void backlog_stop(struct backlog *b);
/* A message came that was sent then (wall microseconds; 0: it isn't known). */
void backlog_received(struct backlog *b, int64_t sent_at);
