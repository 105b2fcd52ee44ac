#include "queue_end.h"

#include "sqs.h"

static const unsigned COUNTS_IN_A_ROW = 2;

void queue_end_reset(struct queue_end *e) {
    e->empty_counts = e->lonely_counts = 0;
}

enum queue_end_verdict queue_end(struct queue_end *e, const struct queue_end_view *v,
                                 const struct sqs_queue_attributes *counts) {
    bool empty = v->in_flight == 0 && v->last_was_empty && !counts->visible && !counts->in_flight && !counts->delayed;
    /* On a FIFO queue, messages behind the first of their group count as visible, but can't be received. */
    bool none_comes = v->fifo ? v->last_was_empty : !counts->visible;
    bool lonely = v->only_stubborn && none_comes && !counts->delayed && counts->in_flight <= v->in_flight;
    e->lonely_counts = lonely ? e->lonely_counts + 1 : 0;
    if (!empty)
        e->empty_counts = 0;
    else if (e->empty_counts++ == 0)
        e->empty_since = v->now;
    if (e->empty_counts >= COUNTS_IN_A_ROW && v->now - e->empty_since >= v->patience)
        return QUEUE_IS_EMPTY;
    if (e->lonely_counts < COUNTS_IN_A_ROW)
        return QUEUE_GOES_ON;
    e->lonely_counts = 0;
    return QUEUE_IS_STUBBORN;
}
