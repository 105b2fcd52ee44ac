/* `run --until-empty`: decides when the work is done. Pure: it is told what the worker has, and the queue's counts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sqs_queue_attributes;

struct queue_end {
    unsigned empty_counts; /* in a row that found the queue empty */
    int64_t empty_since; /* monotonic: the first of these */
    unsigned lonely_counts; /* in a row that found nothing left but messages that fail as if by their own fault */
};

/* What the worker knows when the counts come in. */
struct queue_end_view {
    int64_t now; /* monotonic */
    int64_t patience; /* microseconds that the queue must have been empty */
    unsigned in_flight;
    bool last_was_empty; /* the last receive brought nothing */
    bool may_be_empty; /* the last receive brought nothing, no message is in flight, and receiving works: a count may
                          tell */
    bool only_stubborn; /* every message in flight fails as if by its own fault, or waits behind one that does */
    bool fifo;
};

enum queue_end_verdict {
    QUEUE_GOES_ON,
    QUEUE_IS_EMPTY,
    QUEUE_IS_STUBBORN /* only messages that fail are left, and nothing succeeds that would tell whose fault it is
                       */
};

enum queue_end_verdict queue_end(struct queue_end *e, const struct queue_end_view *v,
                                 const struct sqs_queue_attributes *counts);
/* A message came, or a count failed: counting begins anew. */
void queue_end_reset(struct queue_end *e);
