/* The runtime API of AWS Lambda: asks for the next invocation, and answers it. (AWS Lambda developer guide, "Using the
 * Lambda runtime API for custom runtimes".) A failing request is tried five times, with pauses that double. */
#pragma once

#include "buf.h"
#include "clock.h"
#include "compiler.h"
#include "http.h"
#include "log.h"
#include "span.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUNTIME_ID_SIZE 288
#define RUNTIME_TRACE_SIZE 288

struct runtime_options {
    const char *address; /* AWS_LAMBDA_RUNTIME_API: host:port; copied */
    struct http_api http;
    struct clock clock;
    struct timers *timers;
    struct log *log;
};

/* One invocation. */
struct runtime_invocation {
    char request_id[RUNTIME_ID_SIZE];
    char trace_id[RUNTIME_TRACE_SIZE]; /* "": none */
    int64_t deadline; /* wall microseconds; NEVER: not told */
    struct buf event; /* the receiver's, who must free it */
};

struct runtime_api;

/* The next invocation; NULL: the API fails. invocation is valid until this returns; its event belongs to the
 * receiver. */
typedef void runtime_next_done(void *user, struct runtime_invocation *invocation);
/* accepted: as far as we know, the invocation is answered. too_large: the answer was too large, and another one may
 * follow. Neither: the API fails. */
typedef void runtime_answer_done(void *user, bool accepted, bool too_large);

/* NULL: no memory. */
MUST_USE struct runtime_api *runtime_api_new(const struct runtime_options *options);
/* Whether a text can be the API's address. */
bool runtime_api_address_fits(const char *address);
/* Only one of these two at a time; done follows from the loop. False: no memory. */
MUST_USE bool runtime_api_next(struct runtime_api *api, runtime_next_done *done, void *user);
/* Answers the invocation request_id; with error_type as a function error of this type, which body names as well.
 * request_id NULL: the initialisation failed. body is borrowed until done; the other texts are copied. */
MUST_USE bool runtime_api_answer(struct runtime_api *api, const char *request_id, const char *error_type,
                                 struct span body, runtime_answer_done *done, void *user);
/* Ends what is under way. Takes NULL. */
void runtime_api_free(struct runtime_api *api);
