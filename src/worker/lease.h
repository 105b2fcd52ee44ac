/* Leases: while a message is in flight, its visibility timeout is extended before it ends, and never after. A lease
 * reports what is due to a callback, and knows nothing of messages. */
#pragma once

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

enum lease_due {
    LEASE_EXTEND, /* SQS is to be asked to hide it for `seconds` from now on */
    LEASE_OVER /* SQS may deliver the message to another receiver */
};

struct lease;

struct leases {
    const struct platform *platform;
    const unsigned *visibility; /* seconds that a lease lasts, from now on */
    void (*due)(struct lease *lease, enum lease_due due, unsigned seconds);
};

/* The time for which SQS hides one message from other receivers. */
struct lease {
    const struct leases *all;
    struct timer timer; /* runs while something will be due */
    int64_t received_at; /* monotonic */
    int64_t until; /* monotonic */
    bool last; /* SQS extends it no further */
    bool asked; /* an extension was reported as due, and its outcome isn't known yet */
    bool lost; /* SQS may have delivered the message to another receiver */
};

void lease_begin(const struct leases *all, struct lease *l, int64_t received_at);
/* Nothing is due any more. */
void lease_end(struct lease *l);
/* SQS has extended it, by so many seconds from then (monotonic). */
void lease_extended(struct lease *l, int64_t from, unsigned seconds);
/* SQS has refused to extend it: another receiver may have the message already. LEASE_OVER follows, from a timer. */
void lease_refused(struct lease *l);
/* It is over, but the outcome of what is under way is still awaited: LEASE_OVER will be reported again. */
void lease_wait(struct lease *l);
/* When it is treated as over: a little before SQS ends it. */
int64_t lease_end_of(const struct lease *l);
/* Whether enough time is left to begin a transaction. */
bool lease_allows_start(const struct lease *l);
