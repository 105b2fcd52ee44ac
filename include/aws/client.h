/* The client of one AWS service that speaks AWS JSON 1.0: signs, sends, understands errors, retries. One operation is
 * one aws_call(). */
#pragma once

#include "call.h"
#include "compiler.h"
#include "credentials.h"
#include "endpoint.h"
#include "http.h"
#include "metrics.h"
#include "retry.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws_client;
struct digest;

/* The texts are copied; all else is borrowed and must outlive the client. */
struct aws_client_options {
    const char *endpoint; /* http(s)://host[:port][/path] */
    const char *region; /* that signatures are for */
    const char *signing_name; /* "sqs", "dynamodb" */
    const char *target_prefix; /* "AmazonSQS.", "DynamoDB_20120810." */
    const struct credentials_provider *credentials;
    struct http_api http;
    struct clock clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
    struct metrics *metrics; /* NULL: nothing is counted */
    enum metrics_service counted_as;
    struct digest *digest;
    struct retry_policy retry; /* max_attempts 0: retry_policy_default() */
    bool notes_dates; /* stats tell how far the answers' Date is from our clock */
    bool checks_marks; /* answers have x-amzn-requestid or x-amz-crc32, which must fit the body; others aren't the
                          service's (DynamoDB) */
    /* The URL for calls with keys of this account. account_id is empty if the credentials don't name it; then calls go
     * to endpoint. False: no URL may be used; ret_why says why. NULL: all calls go to endpoint. */
    bool (*endpoint_of_account)(void *ctx, struct span account_id, char ret_url[static AWS_ENDPOINT_SIZE],
                                char ret_why[static SETTING_WHY_SIZE]);
    void *endpoint_ctx;
};

/* NULL: no memory, or the endpoint is no such URL (aws_endpoint_valid() tells). */
MUST_USE struct aws_client *aws_client_new(const struct aws_client_options *options);
/* Calls in flight end without their done, but their release is called. Not from inside a callback of its calls. NULL is
 * fine. */
void aws_client_free(struct aws_client *client);
/* http or https, a host, perhaps a port and a path; no user, query or fragment. */
bool aws_endpoint_valid(const char *url);

#define AWS_TRACE_SIZE 288
/* Sends this as X-Amzn-Trace-Id with all requests from now on; empty: sends none. A text that can't be a header's value
 * counts as empty. */
void aws_client_set_trace(struct aws_client *client, struct span trace);
/* Opens so many connections to where its last call went, as struct http_api's open_ahead does. */
void aws_client_open_ahead(const struct aws_client *client, unsigned count);
/* Where its last call went; before the first, endpoint. Valid until the next call. */
const char *aws_client_url(const struct aws_client *client);

/* For the metrics. */
struct aws_client_stats {
    size_t calls; /* in flight */
    uint64_t requests; /* sent */
    uint64_t retries;
    int64_t clock_skew; /* microseconds that are added to our clock for signing; 0: none */
    bool dated; /* an answer had a Date, and notes_dates is set */
    int64_t date_offset; /* of the last such answer: its Date minus our clock, in microseconds, within half a second */
};
struct aws_client_stats aws_client_stats(const struct aws_client *client);

/* What is called. The struct itself is copied. name must be a constant: it is remembered for the log. body is borrowed
 * until release (or, without one, until done or cancel). */
struct aws_operation {
    const char *name; /* "TransactWriteItems" */
    struct span body;
    size_t max_response; /* ceiling of the answer, in bytes */
    int64_t attempt_timeout; /* microseconds for one request */
    int64_t attempt_silence; /* microseconds without a byte in either direction that end it sooner; 0: no such limit */
    int64_t attempt_wait; /* microseconds that attempt_silence is longer before the response begins: for a long poll */
    /* Looks at each answer of the service before it is decided whether to try again: at a 200 (class CALL_OK) and at an
     * error that came as the service's JSON (from_service). It may change class, code, message and retry_after: to
     * CALL_RETRY for a 200 that was cut, for instance. NULL: none. user is that of aws_call(). */
    void (*decode)(void *user, struct span response_body, struct call_result *result);
    bool wants_date; /* the result has the answer's date */
    bool forgets_body; /* decode reads all of it: a large body is freed before done, which then gets an empty one */
    /* Called once when the call is over, after done or in call_cancel(): frees what user owns. NULL: none. Not called
     * if aws_call() returns NULL. */
    void (*release)(void *user);
};

/* response_body: of the last attempt, whatever its class; empty where there is none. Valid, like result, until this
 * returns. */
typedef void aws_call_done(void *user, const struct call_result *result, struct span response_body);

/* Starts a call. NULL: no memory, and nothing happens. Otherwise done is called exactly once, later, from the loop (a
 * timer or a transfer), unless the call is cancelled. options->deadline is the latest time for it (CALL_RETRY if that
 * cuts an attempt short). options: NULL for no deadline and the client's max_attempts. */
MUST_USE struct call *aws_call(struct aws_client *client, const struct aws_operation *operation,
                               const struct call_options *options, aws_call_done *done, void *user);
