#include "poison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void one_that_fails_in_a_row_while_all_others_succeed_is_alone(void **state) {
    (void)state;
    static const struct {
        struct poison_evidence evidence;
        bool alone;
    } cases[] = {
        {{.failures = 0, .successes = 1000}, false},
        {{.failures = 1, .successes = 1000}, false},
        {{.failures = 5, .successes = 1000}, false},
        {{.failures = 6, .successes = 1}, true},
        {{.failures = 6, .successes = 1000}, true},
        {{.failures = 1000, .successes = 0}, false},
        /* One that is known needs two. */
        {{.failures = 1, .known = true, .successes = 1000}, false},
        {{.failures = 2, .known = true, .successes = 1}, true},
        {{.failures = 2, .known = true, .successes = 0}, false},
        /* The more of the others fail, the longer the row: at a half it is twelve, at nine tenths sixty. */
        {{.failures = 11, .successes = 50, .other_failures = 50}, false},
        {{.failures = 12, .successes = 50, .other_failures = 50}, true},
        {{.failures = 59, .successes = 10, .other_failures = 90}, false},
        {{.failures = 60, .successes = 10, .other_failures = 90}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (poison_is_alone(&cases[i].evidence) != cases[i].alone)
            fail_msg("case %zu should be %s", i, cases[i].alone ? "alone" : "not alone");
}

/* Where every attempt fails with probability f, whoever it is for, a row as long as is asked for is rarer than one in
 * 400. */
static void by_chance_next_to_none_is_taken_for_alone(void **state) {
    (void)state;
    for (unsigned percent = 10; percent < 100; percent += 10) {
        double chance = 1;
        unsigned row = 0;
        do {
            row++;
            chance *= percent / 100.0;
        } while (!poison_is_alone(
            &(struct poison_evidence){.failures = row, .successes = 100 - percent, .other_failures = percent}));
        if (chance > 1 / 400.0)
            fail_msg("at %u %% a row of %u has the chance %f", percent, row, chance);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_fails_in_a_row_while_all_others_succeed_is_alone),
        cmocka_unit_test(by_chance_next_to_none_is_taken_for_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
