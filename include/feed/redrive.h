/* Moves messages from the DLQ to the queue. Each is sent first, and deleted from the DLQ once the queue has
 * acknowledged it. So nothing is lost, whenever this ends; and a message that was sent twice has one effect, as both
 * sends have one idempotency key. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "dlq_platform.h"
#include "letter_choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redrive_options {
    const char *dlq_url, *queue_url; /* borrowed, as all here is */
    const char *queue_name;
    bool fifo; /* both are */
    size_t max_message_size; /* that the queue takes */
    uint64_t counted; /* messages in the DLQ that SQS counted at the start */
    int64_t begun_at; /* wall microseconds by SQS's clock, which tells seconds: a message that was sent to the DLQ
                         clearly later came back or came meanwhile, and is left */
    const struct letter_choice *choice;
    uint64_t limit; /* messages; 0: none */
    unsigned rate; /* messages a second; 0: no limit */
};

struct redrive_counts {
    uint64_t taken; /* meant, and received */
    uint64_t sent; /* acknowledged by the queue */
    uint64_t moved; /* and deleted from the DLQ */
    uint64_t failed; /* couldn't be sent, for reasons of their own */
    uint64_t behind; /* stay because one of these is before them in their FIFO group */
    uint64_t passed_over; /* not meant */
    uint64_t later; /* came meanwhile */
};

struct redrive_result {
    struct redrive_counts counts;
    bool full; /* as many were passed over as may be hidden at once */
    bool no_memory;
    uint64_t left_hidden; /* couldn't be given back: visible again within HOLDS_VISIBILITY */
    const struct call_result
        *failure; /* that ended it, or kept some from being deleted or given back; NULL: none did */
    const char *failed_at; /* what failed: "Sending to the queue", … */
};

struct redrive_host {
    /* Counts have changed. */
    void (*moved_on)(void *ctx, const struct redrive_counts *counts);
    /* Once all else is given back. */
    void (*done)(void *ctx, const struct redrive_result *result);
    void *ctx;
};

struct redrive;

/* Starts it. NULL: no memory. */
MUST_USE struct redrive *redrive_start(const struct dlq_platform *platform, const struct redrive_options *options,
                                       const struct redrive_host *host);
/* Ends it early: what is under way is finished, all else given back, and `done` follows. A second time: at once. */
void redrive_stop(struct redrive *r);
/* Ends it without a callback: as if it had been killed. Takes NULL. */
void redrive_free(struct redrive *r);
