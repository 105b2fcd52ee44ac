/* Gives the records of an event to the queue worker as if they came from a queue, so that they are treated in the same
 * way. A record that the worker deletes is done (applied, or in the DLQ); all others are left. Calls to the queue are
 * answered here; sends to the DLQ go to SQS. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "discovery.h"
#include "lambda_event.h"
#include "platform.h"
#include "queue_worker.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

struct event_queue_options {
    unsigned max_in_flight, max_rate, max_attempts; /* the settings */
    int64_t until; /* monotonic: it ends by then, in whatever state */
    int64_t patience; /* microseconds without a record being done, after which the rest is left */
};

struct event_queue;

/* From the loop, once. left: how many records are left. cause: the fault of the environment that is the reason, else
 * "". */
typedef void event_queue_done(void *user, size_t left, const char *cause);

/* platform->sqs: used for the DLQ only; NULL: there is none. facts: about the tables and the DLQ. event, its text and
 * all else are borrowed. NULL: no memory. */
MUST_USE struct event_queue *event_queue_start(const struct platform *platform, const struct discovery_facts *facts,
                                               const struct update_context *context,
                                               const struct event_queue_options *options,
                                               const struct lambda_event *event, event_queue_done *done, void *user);
/* Appends {"batchItemFailures": [{"itemIdentifier": …}, …]}: the records that are left, in their order. False: out has
 * failed. */
bool event_queue_append_left(const struct event_queue *q, struct buf *out);
/* The name of the queue (or topic, or source) that the records came from. */
const char *event_queue_name(const struct event_queue *q);
/* Ends it, and its calls under way. Takes NULL. */
void event_queue_free(struct event_queue *q);
