/* One invocation of the function: its event is told apart, worked on, and answered in the form that whoever sent it
 * takes. */
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
    const char *error_type; /* a function error, which body says too; NULL: none */
};

struct invocation;

/* From the loop, once. */
typedef void invocation_done(void *user, const struct invocation_answer *answer);

/* options, request_id and the event are borrowed; the event may be written over. until (monotonic): it is answered by
 * then. NULL: no memory. */
MUST_USE struct invocation *invocation_start(const struct lambda_options *options, const char *request_id,
                                             struct buf *event, int64_t until, invocation_done *done, void *user);
/* The answer was too large for Lambda: another one in its place, a function error. */
const struct invocation_answer *invocation_answer_briefly(struct invocation *i);
/* The queue whose records it brought; "": it is no such event. */
const char *invocation_queue(const struct invocation *i);
/* Ends it, calls under way too. Takes NULL. */
void invocation_free(struct invocation *i);
