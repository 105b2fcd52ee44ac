/* The program as a function of AWS Lambda: a custom runtime, from the first request for an invocation to the end of the
 * process. It handles one invocation at a time, and nothing runs after its answer. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "discovery.h"
#include "http.h"
#include "outcome.h"
#include "platform.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>

struct lambda_host {
    /* An invocation begins: its id, and its trace header ("": none), for the log and for the calls made in it. */
    void (*began)(void *ctx, const char *request_id, struct span trace);
    /* The invocation was answered. queue: the queue whose records it brought; "": none. Valid until this returns. */
    void (*ended)(void *ctx, const char *queue);
    /* Time went by that the machine's clocks didn't count: the environment was frozen. */
    void (*thawed)(void *ctx);
    /* It is over: Lambda's runtime API fails, or lambda_stop() was called. From the loop. */
    void (*done)(void *ctx, struct outcome outcome);
    void *ctx;
};

/* All is borrowed, and must outlive the function. */
struct lambda_options {
    const char *runtime_api; /* AWS_LAMBDA_RUNTIME_API: host:port */
    struct http_api http;
    struct clock clock; /* the machine's, as Lambda's deadlines are */
    const struct platform *platform; /* sqs: used for the DLQ only; NULL: there is none */
    const struct discovery_facts *facts; /* of the tables, and of the DLQ */
    const struct update_context *context;
    unsigned max_in_flight, max_rate, max_attempts;
    struct lambda_host host;
};

struct lambda;

/* Whether a text can be AWS_LAMBDA_RUNTIME_API. */
bool lambda_address_fits(const char *address);
/* NULL: no memory. */
MUST_USE struct lambda *lambda_start(const struct lambda_options *options);
/* It ends once the invocation under way has been answered. */
void lambda_stop(struct lambda *l);
/* Takes NULL. */
void lambda_free(struct lambda *l);

/* Tells the runtime API why the function doesn't start. done follows from the loop, whether or not that worked. */
struct lambda_refusal;
/* type: an error name as Lambda writes them ("Runtime.InvalidSettings"); message: a sentence. Both are copied. NULL: no
 * memory. */
MUST_USE struct lambda_refusal *lambda_refuse(const struct lambda_options *options, const char *type,
                                              const char *message);
/* Takes NULL. */
void lambda_refusal_free(struct lambda_refusal *r);
