/* One message for a caller who waits for its response (an invocation of the function, or a request), through the same
 * applier as all other messages. */
#pragma once

#include "compiler.h"
#include "discovery.h"
#include "failure.h"
#include "platform.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

/* The texts are borrowed until the worker is freed. */
struct single_worker_options {
    struct span body;
    char *body_space; /* as struct delivery has it */
    struct span key; /* the idempotency key of a message that has none of its own */
    bool key_is_the_callers; /* the caller chose the key: using it for another message too is the caller's mistake */
    int64_t until; /* monotonic: the response comes by then, with what is known */
    unsigned max_rate;
};

/* Valid until the worker is freed. */
struct single_outcome {
    enum error_type type; /* ERROR_NONE: applied */
    struct span response; /* the contract's response or envelope; empty: there was no memory for it */
    const char *code; /* of a DatabaseError that isn't the message's own fault, so that it may succeed later: the
                         exception's name, ConnectionError or Timeout; else "" */
    struct span message; /* a failure's sentence */
    struct span reason; /* the same for the log: without what the message's author named */
};

struct single_worker;

/* Called once, from the loop. */
typedef void single_worker_done(void *user, const struct single_outcome *outcome);

/* facts and context: as for the queue worker. NULL: no memory. */
MUST_USE struct single_worker *single_worker_start(const struct platform *platform, const struct discovery_facts *facts,
                                                   const struct update_context *context,
                                                   const struct single_worker_options *options,
                                                   single_worker_done *done, void *user);
/* Ends it, calls under way too. Takes NULL. */
void single_worker_free(struct single_worker *w);
