/* Receives what a queue has, once each, until there is no more: SQS shows a part of a queue at a time, and its counts
 * lag. */
#pragma once

#include "compiler.h"
#include "dlq_platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_FLIGHTS 4

struct dlq_reader_kind {
    const char *queue_url;
    unsigned visibility_seconds;
    bool fifo;
    uint64_t counted; /* messages that SQS counted at the start; SQS_COUNT_UNKNOWN: it didn't tell */
    /* How many more are wanted now, those under way included; 0: none. */
    size_t (*room)(void *ctx);
    /* One was received; the callee owns it. True: it hadn't been received before. */
    bool (*took)(void *ctx, struct sqs_message *m);
    /* For a FIFO queue, where a delete lets later messages of its group appear. False: deletes are still to come; else
     * *ret_deleted is how many were deleted so far. NULL: nothing is deleted meanwhile. */
    bool (*is_settled)(void *ctx, uint64_t *ret_deleted);
    /* Nothing is under way any more. result is NULL where there are no more messages, or it was stopped; else it says
     * why receiving fails for good. */
    void (*ended)(void *ctx, const struct call_result *result);
    void *ctx;
};

struct dlq_reader {
    const struct dlq_platform *platform;
    struct dlq_reader_kind kind;
    struct reader_flight {
        struct dlq_reader *reader;
        struct call *call;
        unsigned asked;
        bool waited; /* it long-polled for a second: then SQS asks all its servers */
        bool settled; /* nothing was being deleted when it began */
        uint64_t deleted; /* by then */
    } flights[READER_FLIGHTS];
    unsigned under_way;
    size_t asked; /* messages that may come of these */
    uint64_t seen; /* for the first time */
    unsigned batch; /* asked for at once: fewer where an answer was too large */
    bool quiet; /* the last answer was empty: one more decides */
    bool stopped, ended, exhausted;
    bool taking; /* messages are being told: it doesn't end before all are */
    int64_t trouble_since; /* monotonic; 0: none */
    unsigned failures; /* in a row */
    struct call_result failure;
    struct timer timer;
};

/* platform and what kind points at are borrowed. Nothing begins before dlq_reader_pump(). */
void dlq_reader_init(struct dlq_reader *r, const struct dlq_platform *platform, const struct dlq_reader_kind *kind);
/* Room may have changed: asks for as much as there is. */
void dlq_reader_pump(struct dlq_reader *r);
/* Asks for no more; `ended` follows once what is under way is in. */
void dlq_reader_stop(struct dlq_reader *r);
/* Whether it has ended. */
static inline bool dlq_reader_is_over(const struct dlq_reader *r) {
    return r->ended;
}
/* Ends at once. Messages on their way to us stay hidden for visibility_seconds. */
void dlq_reader_done(struct dlq_reader *r);
