/* When a failed request is worth another try, and how long to wait before it. Pure: no clock, no I/O.
 * The numbers are those of the AWS SDKs' standard retry mode. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "random.h"

#include <stdbool.h>
#include <stdint.h>

/* Fixed for one service. */
struct retry_policy {
    unsigned max_attempts; /* requests that a call makes, at least 1, if its options don't say */
    int64_t base_delay; /* microseconds; upper end of the jitter before the first retry; doubles with each attempt */
    int64_t throttled_base; /* the same if the service throttles */
    int64_t max_delay;
};

/* DynamoDB: 4 attempts from 25 ms; others: 3 attempts from 50 ms. */
struct retry_policy retry_policy_dynamodb(void);
struct retry_policy retry_policy_default(void);

#define RETRY_BUDGET_FULL 500
#define RETRY_COST 14
#define RETRY_COST_THROTTLED 5

/* What all calls of one client may spend on retries. When most calls fail, the budget runs out: then they fail at once
 * instead of adding to the load. */
struct retry_budget {
    unsigned tokens;
};
void retry_budget_init(struct retry_budget *budget);
/* A call succeeded: gives back what its last retry cost (paid), or one token if it needed none. */
void retry_budget_refund(struct retry_budget *budget, unsigned paid);

/* The class of an answer: by its code if we know it, else by the HTTP status. from_service: the answer is the service's
 * own. */
enum call_class retry_classify(int status, const char *code, bool from_service);
/* Whether this refusal, together with a Date far from the time of signing, means that our clock is off. */
bool retry_may_be_clock(const char *code);

/* What one call remembers of its retries; zeroed at the start except max_attempts. */
struct retry_state {
    unsigned max_attempts;
    unsigned paid; /* what the last retry cost */
    bool waited_in_progress; /* had its one retry after TransactionInProgressException */
};

/* Whether a call that failed with result (whose attempts count the requests so far) is tried again. elapsed:
 * microseconds since it began. *ret_delay: how long to wait first; always less than left. Takes the price out of the
 * budget. */
MUST_USE bool retry_decide(const struct retry_policy *policy, struct retry_budget *budget, struct random *random,
                           struct retry_state *state, const struct call_result *result, int64_t elapsed, int64_t left,
                           int64_t *ret_delay);
