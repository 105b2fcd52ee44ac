#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "retry.h"

#include <stdio.h>

#define ROUNDS 2000

struct fixture {
    struct retry_policy policy;
    struct retry_budget budget;
    struct retry_state state;
    struct random random;
    struct call_result result;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.policy = retry_policy_dynamodb(), .state.max_attempts = 4};
    retry_budget_init(&f.budget);
    random_seed(&f.random, 7);
    f.result = (struct call_result){.class = CALL_RETRY, .attempts = 1};
    *state = &f;
    return 0;
}

static bool decide(struct fixture *f, int64_t elapsed, int64_t left, int64_t *ret_delay) {
    return retry_decide(&f->policy, &f->budget, &f->random, &f->state, &f->result, elapsed, left, ret_delay);
}

static void set_code(struct fixture *f, const char *code) {
    (void)snprintf(f->result.code, sizeof f->result.code, "%s", code);
}

static void each_answer_has_its_class(void **state) {
    static const struct {
        int status;
        const char *code;
        bool from_service;
        enum call_class class;
    } cases[] = {
        {200, "", false, CALL_OK},
        {400, "ThrottlingException", true, CALL_THROTTLED},
        {400, "ProvisionedThroughputExceededException", true, CALL_THROTTLED},
        {400, "RequestLimitExceeded", true, CALL_THROTTLED},
        {400, "TransactionInProgressException", true, CALL_THROTTLED},
        {400, "RequestThrottled", true, CALL_THROTTLED},
        {400, "KmsThrottled", true, CALL_THROTTLED},
        {403, "OverLimit", true, CALL_THROTTLED},
        {503, "SlowDown", true, CALL_THROTTLED},
        {500, "InternalServerError", true, CALL_RETRY},
        {400, "RequestTimeout", true, CALL_RETRY},
        {400, "TransactionConflictException", true, CALL_RETRY},
        {500, "SomethingNew", true, CALL_RETRY},
        {599, "", false, CALL_RETRY},
        {400, "ExpiredTokenException", true, CALL_AUTH},
        {403, "ExpiredToken", true, CALL_AUTH},
        {400, "UnrecognizedClientException", true, CALL_AUTH},
        {403, "InvalidClientTokenId", true, CALL_AUTH},
        {403, "SignatureDoesNotMatch", true, CALL_AUTH},
        {400, "InvalidSignatureException", true, CALL_AUTH},
        {400, "MissingAuthenticationTokenException", true, CALL_AUTH},
        {400, "AccessDeniedException", true, CALL_DENIED},
        {403, "AccessDenied", true, CALL_DENIED},
        {400, "KMSAccessDeniedException", true, CALL_DENIED},
        {403, "RequestTimeTooSkewed", true, CALL_CLOCK},
        {403, "RequestExpired", true, CALL_CLOCK},
        {400, "ValidationException", true, CALL_PERMANENT},
        {400, "ResourceNotFoundException", true, CALL_PERMANENT},
        {400, "TransactionCanceledException", true, CALL_PERMANENT},
        {413, "RequestEntityTooLarge", true, CALL_PERMANENT},
        {403, "", false, CALL_RETRY}, /* a proxy's page */
        {404, "", false, CALL_RETRY},
        {407, "", false, CALL_RETRY},
        {413, "", false, CALL_RETRY},
        {301, "", false, CALL_RETRY},
        {502, "", false, CALL_RETRY},
        {429, "", false, CALL_THROTTLED},
        {429, "Whatever", true, CALL_THROTTLED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (retry_classify(cases[i].status, cases[i].code, cases[i].from_service) != cases[i].class) {
            fail_msg("%d %s", cases[i].status, cases[i].code);
        }
    }
}

static void only_refusals_of_a_signature_may_be_the_clocks(void **state) {
    static const char *const maybe[] = {"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure",
                                        "RequestTimeTooSkewed",      "AccessDeniedException", "RequestExpired",
                                        "RequestInTheFuture"};
    static const char *const never[] = {"", "ExpiredTokenException", "ValidationException", "ThrottlingException",
                                        "AccessDenied"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(maybe); i++) {
        assert_true(retry_may_be_clock(maybe[i]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(never); i++) {
        assert_false(retry_may_be_clock(never[i]));
    }
}

static void only_transient_failures_are_tried_again(void **state) {
    static const enum call_class never[] = {CALL_OK, CALL_PERMANENT, CALL_AUTH, CALL_DENIED, CALL_CLOCK};
    struct fixture *f = *state;
    int64_t delay = -1;
    for (size_t i = 0; i < ARRAY_LENGTH(never); i++) {
        f->result.class = never[i];
        assert_false(decide(f, 0, NEVER, &delay));
    }
    assert_int_equal(delay, -1);
    assert_int_equal(f->budget.tokens, RETRY_BUDGET_FULL);
    f->result.class = CALL_THROTTLED;
    assert_true(decide(f, 0, NEVER, &delay));
}

static void attempts_are_counted(void **state) {
    struct fixture *f = *state;
    int64_t delay;
    for (f->result.attempts = 1; f->result.attempts < 4; f->result.attempts++) {
        assert_true(decide(f, 0, NEVER, &delay));
    }
    assert_false(decide(f, 0, NEVER, &delay));
    f->result.attempts = 1;
    f->state.max_attempts = 1;
    assert_false(decide(f, 0, NEVER, &delay));
}

static void delays_have_full_jitter_below_a_doubling_ceiling(void **state) {
    static const struct {
        enum call_class class;
        unsigned attempts;
        int64_t ceiling;
    } cases[] = {
        {CALL_RETRY, 1, 25000},        {CALL_RETRY, 2, 50000},           {CALL_RETRY, 3, 100000},
        {CALL_RETRY, 30, 20000000},    {CALL_THROTTLED, 1, 1000000},     {CALL_THROTTLED, 3, 4000000},
        {CALL_THROTTLED, 9, 20000000}, {CALL_THROTTLED, 4000, 20000000},
    };
    struct fixture *f = *state;
    f->state.max_attempts = 5000;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t least = NEVER, most = 0;
        f->result.class = cases[i].class;
        f->result.attempts = cases[i].attempts;
        for (int n = 0; n < ROUNDS; n++) {
            int64_t delay = 0;
            retry_budget_init(&f->budget);
            assert_true(decide(f, 0, NEVER, &delay));
            least = delay < least ? delay : least;
            most = delay > most ? delay : most;
        }
        assert_in_range(most, cases[i].ceiling / 100 * 99, cases[i].ceiling);
        assert_in_range(least, 0, cases[i].ceiling / 100);
    }
}

static void a_services_wish_is_followed_up_to_five_seconds_beyond_ours(void **state) {
    struct fixture *f = *state;
    for (int n = 0; n < ROUNDS; n++) {
        int64_t delay = 0;
        retry_budget_init(&f->budget);
        f->result.retry_after = 3 * MICROSECONDS;
        assert_true(decide(f, 0, NEVER, &delay));
        assert_int_equal(delay, 3 * MICROSECONDS);
        f->result.retry_after = 3600 * MICROSECONDS;
        assert_true(decide(f, 0, NEVER, &delay));
        assert_in_range(delay, 5 * MICROSECONDS, 5 * MICROSECONDS + 25000);
        f->result.retry_after = 1;
        assert_true(decide(f, 0, NEVER, &delay));
        assert_in_range(delay, 1, 25000);
    }
}

static void no_retry_is_promised_that_the_deadline_would_cut_off(void **state) {
    struct fixture *f = *state;
    int64_t delay = -1;
    f->result.retry_after = 3 * MICROSECONDS;
    assert_false(decide(f, 0, 3 * MICROSECONDS, &delay));
    assert_int_equal(delay, -1);
    assert_int_equal(f->budget.tokens, RETRY_BUDGET_FULL);
    assert_true(decide(f, 0, 3 * MICROSECONDS + 1, &delay));
}

static void the_budget_pays_for_35_retries_or_100_throttled_ones(void **state) {
    struct fixture *f = *state;
    int64_t delay;
    unsigned n = 0;
    while (decide(f, 0, NEVER, &delay)) {
        assert_int_equal(f->state.paid, RETRY_COST);
        n++;
    }
    assert_int_equal(n, RETRY_BUDGET_FULL / RETRY_COST);
    retry_budget_init(&f->budget);
    f->result.class = CALL_THROTTLED;
    for (n = 0; decide(f, 0, NEVER, &delay); n++) {
        assert_int_equal(f->state.paid, RETRY_COST_THROTTLED);
    }
    assert_int_equal(n, RETRY_BUDGET_FULL / RETRY_COST_THROTTLED);
}

static void successes_fill_the_budget_again(void **state) {
    struct retry_budget budget = {.tokens = 0};
    (void)state;
    retry_budget_refund(&budget, 0);
    assert_int_equal(budget.tokens, 1);
    retry_budget_refund(&budget, RETRY_COST);
    assert_int_equal(budget.tokens, 1 + RETRY_COST);
    budget.tokens = RETRY_BUDGET_FULL - 3;
    retry_budget_refund(&budget, RETRY_COST);
    assert_int_equal(budget.tokens, RETRY_BUDGET_FULL);
}

static void fault_05_a_transaction_in_progress_gets_one_retry_five_seconds_after_the_start(void **state) {
    struct fixture *f = *state;
    for (int n = 0; n < ROUNDS; n++) {
        int64_t delay = 0, elapsed = n * 1000;
        retry_budget_init(&f->budget);
        f->state = (struct retry_state){.max_attempts = 4};
        f->result.class = CALL_THROTTLED;
        set_code(f, "TransactionInProgressException");
        assert_true(decide(f, elapsed, NEVER, &delay));
        assert_in_range(elapsed + delay, 5 * MICROSECONDS, 6 * MICROSECONDS);
        assert_false(decide(f, 5 * MICROSECONDS, NEVER, &delay));
        /* Another failure after it is another matter. */
        f->result.class = CALL_RETRY;
        set_code(f, "InternalServerError");
        assert_true(decide(f, 5 * MICROSECONDS, NEVER, &delay));
        assert_true(delay <= f->policy.base_delay);
    }
}

static void the_policies_are_those_of_the_sdks(void **state) {
    (void)state;
    struct retry_policy p = retry_policy_dynamodb(), q = retry_policy_default();
    assert_int_equal(p.max_attempts, 4);
    assert_int_equal(p.base_delay, 25 * MILLISECOND);
    assert_int_equal(q.max_attempts, 3);
    assert_int_equal(q.base_delay, 50 * MILLISECOND);
    assert_int_equal(p.throttled_base, MICROSECONDS);
    assert_int_equal(q.max_delay, 20 * MICROSECONDS);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_answer_has_its_class),
        TEST(only_refusals_of_a_signature_may_be_the_clocks),
        TEST(only_transient_failures_are_tried_again),
        TEST(attempts_are_counted),
        TEST(delays_have_full_jitter_below_a_doubling_ceiling),
        TEST(a_services_wish_is_followed_up_to_five_seconds_beyond_ours),
        TEST(no_retry_is_promised_that_the_deadline_would_cut_off),
        TEST(the_budget_pays_for_35_retries_or_100_throttled_ones),
        TEST(successes_fill_the_budget_again),
        TEST(fault_05_a_transaction_in_progress_gets_one_retry_five_seconds_after_the_start),
        TEST(the_policies_are_those_of_the_sdks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
