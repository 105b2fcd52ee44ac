/* The heart of the daemon: receives messages, applies them, deletes them or sends them to the DLQ, waits out outages,
 * and drains at the end. One object for one queue and one table. */
#pragma once

#include "compiler.h"
#include "discovery.h"
#include "outcome.h"
#include "platform.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

/* With until_empty: how long a fault of the environment may last before it ends the work, and how long to wait for
 * services at the start. */
#define UNTIL_EMPTY_PATIENCE (600 * MICROSECONDS)

struct queue_worker_options {
    unsigned max_in_flight; /* MAX_IN_FLIGHT */
    unsigned max_rate; /* MAX_RATE; 0: none */
    unsigned max_attempts; /* MAX_ATTEMPTS */
    unsigned shutdown_timeout; /* SHUTDOWN_TIMEOUT, seconds */
    unsigned opens_ahead; /* so many connections to DynamoDB are opened when the first messages have come, unless the
                             limits need fewer; 0: none */
    bool hurries; /* deletes and returns are sent at once: they don't wait to fill a batch */
    bool until_empty; /* run --until-empty */
    unsigned until_empty_seconds;
};

struct queue_worker;

/* done: the worker has ended by itself (--until-empty) or after queue_worker_stop(). What could be returned to the
 * queue was returned. */
typedef void queue_worker_done(void *user, struct outcome outcome);

/* Starts with the facts of a discovery. facts and what context points to must outlive the worker. NULL: no memory. */
MUST_USE struct queue_worker *queue_worker_start(const struct platform *platform,
                                                 const struct queue_worker_options *options,
                                                 const struct discovery_facts *facts,
                                                 const struct update_context *context, queue_worker_done *done,
                                                 void *user);
/* First call: drain (finish what runs, give back the rest, within shutdown_timeout). Second: give everything back now.
 * With until_empty, a worker that is stopped ends with ENDED_SOME_FAILED: the queue wasn't seen to be empty. */
void queue_worker_stop(struct queue_worker *w);
/* Changes the limits (until_empty stays as it was). What is in flight beyond a smaller MAX_IN_FLIGHT is worked off
 * first. */
void queue_worker_set_limits(struct queue_worker *w, const struct queue_worker_options *options);
/* Frees it. Where it hasn't ended, no callback follows. Takes NULL. */
void queue_worker_free(struct queue_worker *w);

struct queue_worker_status {
    bool held; /* receiving stopped for a fault of the environment */
    const char *cause; /* why, in a word or two; "" where nothing is held. Borrowed until control returns to the loop */
    const char *last_failure; /* of a transaction, likewise; "": none has failed */
    int64_t since; /* monotonic: when that began */
    bool draining;
    unsigned in_flight;
    unsigned waiting_for_delete; /* of these, those done with that can't be deleted for now */
    uint64_t received, applied, dead_lettered, given_back;
    uint64_t undeleted; /* those done with that couldn't be deleted in time: they may be delivered once more */
};
/* Its status, for the service manager's status line. */
struct queue_worker_status queue_worker_status(const struct queue_worker *w);
