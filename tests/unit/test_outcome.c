#include "outcome.h"

#include "compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_somebody_has_to_mend_comes_before_what_may_pass(void **state) {
    (void)state;
    static const enum cause order[][3] = {{CAUSE_UNREACHABLE, CAUSE_THROTTLED, CAUSE_UNREACHABLE},
                                          {CAUSE_DENIED, CAUSE_CREDENTIALS, CAUSE_CLOCK},
                                          {CAUSE_UNFIT, CAUSE_MISSING, CAUSE_CHANGED}};
    struct outcome well = outcome_of(ENDED_WELL);
    assert_true(outcome_is_well(outcome_worse(well, well)));
    for (size_t rank = 0; rank < ARRAY_LENGTH(order); rank++)
        for (size_t i = 0; i < 3; i++) {
            struct outcome one = outcome_by(order[rank][i]);
            assert_int_equal(outcome_worse(well, one).cause, one.cause);
            assert_int_equal(outcome_worse(one, well).ending, ENDED_BY_CAUSE);
            for (size_t k = 0; rank > 0 && k < 3; k++) {
                struct outcome lesser = outcome_by(order[rank - 1][k]);
                assert_int_equal(outcome_worse(one, lesser).cause, one.cause);
                assert_int_equal(outcome_worse(lesser, one).cause, one.cause);
            }
            assert_int_equal(outcome_worse(one, outcome_by(order[rank][0])).cause, one.cause); /* the first stays */
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_somebody_has_to_mend_comes_before_what_may_pass)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
