#include "retry.h"

#include "backoff.h"
#include "clock.h"

#include <string.h>

#define RETRY_AFTER_SLACK (5 * MICROSECONDS) /* a Retry-After counts only up to this much beyond our own delay */
#define IN_PROGRESS_AFTER                                                                                              \
    (5 * MICROSECONDS) /* since the call began; by then the other request with the same token has ended */
#define IN_PROGRESS "TransactionInProgressException"

struct retry_policy retry_policy_dynamodb(void) {
    return (struct retry_policy){.max_attempts = 4,
                                 .base_delay = 25 * MILLISECOND,
                                 .throttled_base = MICROSECONDS,
                                 .max_delay = 20 * MICROSECONDS};
}

struct retry_policy retry_policy_default(void) {
    return (struct retry_policy){.max_attempts = 3,
                                 .base_delay = 50 * MILLISECOND,
                                 .throttled_base = MICROSECONDS,
                                 .max_delay = 20 * MICROSECONDS};
}

void retry_budget_init(struct retry_budget *budget) {
    budget->tokens = RETRY_BUDGET_FULL;
}

void retry_budget_refund(struct retry_budget *budget, unsigned paid) {
    unsigned back = paid ? paid : 1;
    budget->tokens = budget->tokens + back < RETRY_BUDGET_FULL ? budget->tokens + back : RETRY_BUDGET_FULL;
}

static const struct {
    const char *code;
    enum call_class class;
} CODES[] = {
    {"BandwidthLimitExceeded", CALL_THROTTLED},
    {"EC2ThrottledException", CALL_THROTTLED},
    {"KMSThrottlingException", CALL_THROTTLED},
    {"KmsThrottled", CALL_THROTTLED},
    {"LimitExceededException", CALL_THROTTLED},
    {"OverLimit", CALL_THROTTLED},
    {"PriorRequestNotComplete", CALL_THROTTLED},
    {"ProvisionedThroughputExceededException", CALL_THROTTLED},
    {"RequestLimitExceeded", CALL_THROTTLED},
    {"RequestThrottled", CALL_THROTTLED},
    {"RequestThrottledException", CALL_THROTTLED},
    {"SlowDown", CALL_THROTTLED},
    {"ThrottledException", CALL_THROTTLED},
    {"Throttling", CALL_THROTTLED},
    {"ThrottlingError", CALL_THROTTLED},
    {"ThrottlingException", CALL_THROTTLED},
    {"TooManyRequestsException", CALL_THROTTLED},
    {IN_PROGRESS, CALL_THROTTLED},

    {"InternalError", CALL_RETRY},
    {"InternalFailure", CALL_RETRY},
    {"InternalServerError", CALL_RETRY},
    {"ReplicatedWriteConflictException", CALL_RETRY},
    {"RequestTimeout", CALL_RETRY},
    {"RequestTimeoutException", CALL_RETRY},
    {"ServiceUnavailable", CALL_RETRY},
    {"ServiceUnavailableException", CALL_RETRY},
    {"TransactionConflictException", CALL_RETRY},

    {"AuthFailure", CALL_AUTH},
    {"ExpiredToken", CALL_AUTH},
    {"ExpiredTokenException", CALL_AUTH},
    {"IncompleteSignature", CALL_AUTH},
    {"IncompleteSignatureException", CALL_AUTH},
    {"InvalidAccessKeyId", CALL_AUTH},
    {"InvalidClientTokenId", CALL_AUTH},
    {"InvalidSecurity", CALL_AUTH},
    {"InvalidSignatureException", CALL_AUTH},
    {"InvalidToken", CALL_AUTH},
    {"MissingAuthenticationToken", CALL_AUTH},
    {"MissingAuthenticationTokenException", CALL_AUTH},
    {"SignatureDoesNotMatch", CALL_AUTH},
    {"TokenRefreshRequired", CALL_AUTH},
    {"UnrecognizedClientException", CALL_AUTH},

    {"AccessDenied", CALL_DENIED},
    {"AccessDeniedException", CALL_DENIED},
    {"KMSAccessDeniedException", CALL_DENIED},
    {"KmsAccessDenied", CALL_DENIED},
    {"NotAuthorized", CALL_DENIED},
    {"OptInRequired", CALL_DENIED},
    {"UnauthorizedOperation", CALL_DENIED},

    {"RequestExpired", CALL_CLOCK},
    {"RequestInTheFuture", CALL_CLOCK},
    {"RequestTimeTooSkewed", CALL_CLOCK},
};

enum call_class retry_classify(int status, const char *code, bool from_service) {
    if (status == 200) {
        return CALL_OK;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(CODES); i++) {
        if (strcmp(CODES[i].code, code) == 0) {
            return CODES[i].class;
        }
    }
    if (status == 429) {
        return CALL_THROTTLED;
    }
    /* A refusal that isn't in the service's own form comes from a proxy or a load balancer: it says nothing about the
     * request. */
    return status >= 400 && status < 500 && from_service ? CALL_PERMANENT : CALL_RETRY;
}

bool retry_may_be_clock(const char *code) {
    static const char *const MAYBE[] = {"AccessDeniedException", "AuthFailure", "InvalidSignatureException",
                                        "SignatureDoesNotMatch"};
    for (size_t i = 0; i < ARRAY_LENGTH(MAYBE); i++) {
        if (strcmp(MAYBE[i], code) == 0) {
            return true;
        }
    }
    return retry_classify(400, code, true) == CALL_CLOCK;
}

static int64_t delay(const struct retry_policy *policy, struct random *random, const struct call_result *result,
                     bool in_progress, int64_t elapsed) {
    int64_t base = result->class == CALL_THROTTLED ? policy->throttled_base : policy->base_delay;
    unsigned before = result->attempts > 0 ? result->attempts - 1 : 0;
    int64_t jittered = backoff_full_jitter(random, before, base, policy->max_delay);
    if (in_progress && elapsed + jittered < IN_PROGRESS_AFTER) {
        /* More jitter on top, so that two requests that wait for each other don't meet again. */
        return IN_PROGRESS_AFTER - elapsed + (int64_t)random_below(random, (uint64_t)policy->throttled_base);
    }
    int64_t most = jittered + RETRY_AFTER_SLACK;
    return result->retry_after <= jittered ? jittered : result->retry_after < most ? result->retry_after : most;
}

bool retry_decide(const struct retry_policy *policy, struct retry_budget *budget, struct random *random,
                  struct retry_state *state, const struct call_result *result, int64_t elapsed, int64_t left,
                  int64_t *ret_delay) {
    if ((result->class != CALL_RETRY && result->class != CALL_THROTTLED) || result->attempts >= state->max_attempts) {
        return false;
    }
    bool in_progress = strcmp(result->code, IN_PROGRESS) == 0;
    unsigned cost = result->class == CALL_THROTTLED ? RETRY_COST_THROTTLED : RETRY_COST;
    if ((in_progress && state->waited_in_progress) || budget->tokens < cost) {
        return false;
    }
    int64_t wait = delay(policy, random, result, in_progress, elapsed);
    if (wait >= left) {
        return false;
    }
    budget->tokens -= cost;
    state->paid = cost;
    state->waited_in_progress = state->waited_in_progress || in_progress;
    *ret_delay = wait;
    return true;
}
