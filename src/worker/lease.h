/* Leases: while a message is in flight, its visibility timeout is extended in time; never afterwards. A lease reports
 * what is due, and knows nobody. */
#pragma once

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

enum lease_due {
    LEASE_EXTEND, /* SQS is to be asked for so many seconds from now */
    LEASE_OVER /* SQS may give the message to another */
};

struct lease;

struct leases {
    const struct platform *platform;
    const unsigned *visibility; /* seconds that a lease lasts, from now on */
    void (*due)(struct lease *lease, enum lease_due due, unsigned seconds);
};

/* How long SQS keeps a message from others. */
struct lease {
    const struct leases *all;
    struct timer timer; /* runs while it has one */
    int64_t received_at; /* monotonic */
    int64_t until; /* monotonic */
    bool last; /* SQS extends it no further */
    bool asked; /* an extension was reported as due, and its outcome isn't known */
    bool lost; /* SQS may have given the message to another */
};

void lease_begin(const struct leases *all, struct lease *l, int64_t received_at);
/* Nothing is due any more. */
void lease_end(struct lease *l);
/* SQS has extended it, by so many seconds from then (monotonic). */
void lease_extended(struct lease *l, int64_t from, unsigned seconds);
/* SQS says no: another may have the message already. LEASE_OVER follows, from a timer. */
void lease_refused(struct lease *l);
/* It is over, and the outcome of what is under way is awaited all the same: LEASE_OVER comes again. */
void lease_wait(struct lease *l);
/* When it is treated as over. */
int64_t lease_end_of(const struct lease *l);
/* Whether there is time enough left to begin. */
bool lease_allows_start(const struct lease *l);
