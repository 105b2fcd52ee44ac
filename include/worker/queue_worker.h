/* The daemon's heart: receives, runs, deletes, sends to the DLQ, waits out outages, drains. One object for one queue
 * and one table.
 */
#pragma once

#include "compiler.h"
#include "discovery.h"
#include "outcome.h"
#include "platform.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

/* With until_empty, how long a fault of the environment may last before it ends the work; so long services are waited
 * for at the start, too. */
#define UNTIL_EMPTY_PATIENCE (600 * MICROSECONDS)

struct queue_worker_options {
    unsigned max_in_flight; /* MAX_IN_FLIGHT */
    unsigned max_rate; /* MAX_RATE; 0: none */
    unsigned max_attempts; /* MAX_ATTEMPTS */
    unsigned shutdown_timeout; /* SHUTDOWN_TIMEOUT, seconds */
    bool hurries; /* deletes and returns cost nothing: none waits for company */
    bool until_empty; /* run --until-empty */
    unsigned until_empty_seconds;
};

struct queue_worker;

/* done: the worker has ended by itself (--until-empty) or after queue_worker_stop(); everything was given back that
 * could be. */
typedef void queue_worker_done(void *user, struct outcome outcome);

/* Starts on the facts of a discovery, which must outlive the worker, as context must. NULL: no memory. */
MUST_USE struct queue_worker *queue_worker_start(const struct platform *platform,
                                                 const struct queue_worker_options *options,
                                                 const struct discovery_facts *facts,
                                                 const struct update_context *context, queue_worker_done *done,
                                                 void *user);
/* First call: drain (finish what runs, give back the rest, within shutdown_timeout). Second: give everything back now.
 * With until_empty it ends with ENDED_SOME_FAILED then, for the queue wasn't seen to be empty. */
void queue_worker_stop(struct queue_worker *w);
/* Other limits from now on (until_empty stays what it was): what is in flight beyond a smaller MAX_IN_FLIGHT is worked
 * off first. */
void queue_worker_set_limits(struct queue_worker *w, const struct queue_worker_options *options);
/* Frees it; without a callback where it hasn't ended. Takes NULL. */
void queue_worker_free(struct queue_worker *w);

struct queue_worker_status {
    bool held; /* receiving stopped for a fault of the environment */
    const char *cause; /* of that, in a word or two; "" where there is none. Borrowed until the loop goes on */
    int64_t since; /* monotonic: when that began */
    bool draining;
    unsigned in_flight;
    unsigned waiting_for_delete; /* of these, done with, while deletes fail */
    uint64_t received, applied, dead_lettered, given_back;
    uint64_t undeleted; /* done with, and not deleted in time: they may be delivered once more */
};
/* A look at it, for the service manager's status line. */
struct queue_worker_status queue_worker_status(const struct queue_worker *w);
