/* One invocation of the function: finds out what kind of event it is, works on it, and answers in the form that the
 * sender expects. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "discovery.h"
#include "lambda.h"
#include "platform.h"
#include "update.h"

#include <stdint.h>

/* What is given back to Lambda. Valid until the invocation is freed. */
struct invocation_answer {
    struct span body;
    const char *error_type; /* it is a function error, also named in body; NULL: it is none */
    struct span reason; /* of a function error, for the log: it names nothing that the event's author named */
};

struct invocation;

/* From the loop, once. */
typedef void invocation_done(void *user, const struct invocation_answer *answer);

/* options, request_id and event are borrowed; event may be overwritten. until (monotonic): the answer comes by then.
 * NULL: no memory. */
MUST_USE struct invocation *invocation_start(const struct lambda_options *options, const char *request_id,
                                             struct buf *event, int64_t until, invocation_done *done, void *user);
/* The answer was too large for Lambda: replaces it with a short function error. */
const struct invocation_answer *invocation_answer_briefly(struct invocation *i);
/* The queue whose records it brought; "": it is an event of another kind. */
const char *invocation_queue(const struct invocation *i);
/* Ends it, and its calls under way. Takes NULL. */
void invocation_free(struct invocation *i);
