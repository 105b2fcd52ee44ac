/* CloudWatch's Embedded Metric Format: one JSON object a line, from which CloudWatch Logs makes metrics. */
#pragma once

#include "metrics.h"

#define METRICS_NAMESPACE "table-updater"

struct metrics_emf { /* zeroed: nothing was told yet */
    struct metrics told; /* what the last line ended with */
};

/* Appends what happened since the last line, with a newline: Applied, Errors, Throttles, DurationMs (from received to
 * applied: the upper bounds of the histogram's buckets, and the count of each); InFlight, OldestMessageAge and
 * CredentialsLeft (below zero once they have expired) where they are known. queue: "" where there is none. wall: now.
 * False: out has failed; the next line will tell this line's share too. */
MUST_USE bool metrics_emf_append(struct metrics_emf *e, const struct metrics *m, const char *queue, const char *table,
                                 int64_t wall, struct buf *out);
