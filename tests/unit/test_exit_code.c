#include "exit_code.h"

#include "compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_outcome_has_its_code(void **state) {
    (void)state;
    static const struct {
        struct outcome outcome;
        enum exit_code code;
    } cases[] = {
        {{ENDED_WELL, CAUSE_UNFIT}, EXIT_FINE}, /* the cause means nothing there */
        {{ENDED_SOME_FAILED, CAUSE_UNFIT}, EXIT_SOME_FAILED},
        {{ENDED_STOPPED, CAUSE_UNFIT}, EXIT_INTERRUPTED},
        {{ENDED_BY_CAUSE, CAUSE_UNREACHABLE}, EXIT_UNREACHABLE},
        {{ENDED_BY_CAUSE, CAUSE_THROTTLED}, EXIT_UNREACHABLE},
        {{ENDED_BY_CAUSE, CAUSE_CREDENTIALS}, EXIT_NOT_PERMITTED},
        {{ENDED_BY_CAUSE, CAUSE_DENIED}, EXIT_NOT_PERMITTED},
        {{ENDED_BY_CAUSE, CAUSE_CLOCK}, EXIT_NOT_PERMITTED},
        {{ENDED_BY_CAUSE, CAUSE_MISSING}, EXIT_SETTINGS},
        {{ENDED_BY_CAUSE, CAUSE_CHANGED}, EXIT_SETTINGS},
        {{ENDED_BY_CAUSE, CAUSE_UNFIT}, EXIT_SETTINGS},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(exit_code_of(cases[i].outcome), cases[i].code);
}

static void the_first_of_78_77_69_wins(void **state) {
    (void)state;
    assert_int_equal(worse_exit(EXIT_FINE, EXIT_FINE), EXIT_FINE);
    assert_int_equal(worse_exit(EXIT_FINE, EXIT_UNREACHABLE), EXIT_UNREACHABLE);
    assert_int_equal(worse_exit(EXIT_NOT_PERMITTED, EXIT_UNREACHABLE), EXIT_NOT_PERMITTED);
    assert_int_equal(worse_exit(EXIT_UNREACHABLE, EXIT_SETTINGS), EXIT_SETTINGS);
    assert_int_equal(worse_exit(EXIT_SETTINGS, EXIT_NOT_PERMITTED), EXIT_SETTINGS);
}

static void of_two_outcomes_the_worse_has_the_worse_code(void **state) {
    (void)state;
    struct outcome all[CAUSE_UNFIT + 2] = {outcome_of(ENDED_WELL)};
    for (int cause = 0; cause <= CAUSE_UNFIT; cause++)
        all[cause + 1] = outcome_by((enum cause)cause);
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(all); k++)
            assert_int_equal(exit_code_of(outcome_worse(all[i], all[k])),
                             worse_exit(exit_code_of(all[i]), exit_code_of(all[k])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_outcome_has_its_code),
        cmocka_unit_test(the_first_of_78_77_69_wins),
        cmocka_unit_test(of_two_outcomes_the_worse_has_the_worse_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
