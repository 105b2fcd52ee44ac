/* A look at the DLQ that consumes nothing: what it saw is visible again when it ends. */
#pragma once

#include "compiler.h"
#include "dlq_platform.h"
#include "letter.h"
#include "letter_choice.h"

#include <stdbool.h>
#include <stdint.h>

struct dlq_look_options {
    const char *queue_url; /* the DLQ's; borrowed, as all here is */
    bool fifo;
    uint64_t counted; /* messages that SQS counted at the start */
    const struct letter_choice *choice;
    uint64_t limit; /* messages that choice means; 0: no limit */
};

struct dlq_look_result {
    uint64_t looked_at, chosen;
    bool limited; /* it ended at the limit */
    bool full; /* it ended at as many as may be hidden at once */
    bool no_memory;
    uint64_t left_hidden; /* couldn't be given back: visible again within HOLDS_VISIBILITY */
    const struct call_result *failure; /* that ended it, or kept some from being given back; NULL: none did */
};

struct dlq_look_host {
    /* A message that is meant. False: no memory. */
    bool (*found)(void *ctx, const struct letter *letter, const struct sqs_message *m);
    /* Whether more can be taken now; dlq_look_go_on() follows where it couldn't. */
    bool (*has_room)(void *ctx);
    /* Once all is given back. */
    void (*done)(void *ctx, const struct dlq_look_result *result);
    void *ctx;
};

struct dlq_look;

/* Starts it. platform and host's ctx must outlive it. NULL: no memory. */
MUST_USE struct dlq_look *dlq_look_start(const struct dlq_platform *platform, const struct dlq_look_options *options,
                                         const struct dlq_look_host *host);
/* Messages that it has looked at so far. */
uint64_t dlq_look_count(const struct dlq_look *look);
void dlq_look_go_on(struct dlq_look *look);
/* Ends it early: what it saw is given back, and `done` follows. A second time: at once, with nothing more given back.
 */
void dlq_look_stop(struct dlq_look *look);
/* Ends it without a callback. Takes NULL. */
void dlq_look_free(struct dlq_look *look);
