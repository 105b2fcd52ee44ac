/* The records of an event, given to the queue worker as a queue of its own: so they are worked on as those of a queue
 * are. What the worker deletes is done with (applied, or in the DLQ); all else is left. Calls to the queue are answered
 * here, sends to the DLQ go out. */
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
    int64_t until; /* monotonic: it ends by then, whatever is known */
    int64_t patience; /* microseconds without anything done with, after which what is left is left */
};

struct event_queue;

/* From the loop, once. left: how many records are. cause: why, as far as it is the environment; "" else. */
typedef void event_queue_done(void *user, size_t left, const char *cause);

/* platform->sqs: the way to the DLQ, or NULL where there is none. facts: of the tables and of the DLQ. event, its text
 * and all else are borrowed. NULL: no memory. */
MUST_USE struct event_queue *event_queue_start(const struct platform *platform, const struct discovery_facts *facts,
                                               const struct update_context *context,
                                               const struct event_queue_options *options,
                                               const struct lambda_event *event, event_queue_done *done, void *user);
/* Appends {"batchItemFailures": [{"itemIdentifier": …}, …]}: the records that are left, in their order. False: out has
 * failed. */
bool event_queue_append_left(const struct event_queue *q, struct buf *out);
/* The name of the queue (or topic, or source) that its records are of. */
const char *event_queue_name(const struct event_queue *q);
/* Ends it, calls under way too. Takes NULL. */
void event_queue_free(struct event_queue *q);
