/* `run --until-empty`: when is the work done? Pure: it is told what there is, and the queue's own counts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sqs_queue_attributes;

struct queue_end {
    unsigned empty_counts; /* in a row */
    int64_t empty_since; /* monotonic */
    unsigned lonely_counts; /* in a row: nothing is left but messages that fail by themselves */
};

/* What the worker knows when the counts come in. */
struct queue_end_view {
    int64_t now; /* monotonic */
    int64_t patience; /* microseconds that the queue is to be empty */
    unsigned in_flight;
    bool last_was_empty; /* the last receive brought nothing */
    bool may_be_empty; /* …no message is in flight, and receiving works: a count may tell */
    bool only_stubborn; /* all that is in flight fails as if by its own fault, or stands behind such */
    bool fifo;
};

enum queue_end_verdict {
    QUEUE_GOES_ON,
    QUEUE_IS_EMPTY,
    QUEUE_IS_STUBBORN /* nothing is left but messages that fail, and nothing succeeds that would tell whose fault it is
                       */
};

enum queue_end_verdict queue_end(struct queue_end *e, const struct queue_end_view *v,
                                 const struct sqs_queue_attributes *counts);
/* A message came, or a count failed: it begins anew. */
void queue_end_reset(struct queue_end *e);
