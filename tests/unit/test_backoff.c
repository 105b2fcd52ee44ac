#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backoff.h"

static void the_ceiling_doubles_up_to_the_cap(void **state) {
    (void)state;
    static const struct {
        unsigned attempt;
        int64_t base, cap, ceiling;
    } cases[] = {
        {0, 100, 1000, 100},   {1, 100, 1000, 200}, {3, 100, 1000, 800}, {4, 100, 1000, 1000},
        {0, 2000, 1000, 1000}, {63, 1, 1000, 1000}, {64, 1, 1000, 1000}, {4000000000, 1, 1000, 1000},
        {9, 1, 512, 512},      {10, 1, 512, 512},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct random r;
        random_seed(&r, i);
        int64_t least = INT64_MAX;
        int64_t most = 0;
        for (unsigned n = 0; n < 20000; n++) {
            int64_t wait = backoff_full_jitter(&r, cases[i].attempt, cases[i].base, cases[i].cap);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        assert_int_equal(least, 0);
        assert_int_equal(most, cases[i].ceiling);
    }
}

static void extremes_do_not_overflow(void **state) {
    (void)state;
    struct random r;
    random_seed(&r, 1);
    for (unsigned attempt = 0; attempt < 70; attempt++) {
        assert_true(backoff_full_jitter(&r, attempt, INT64_MAX, INT64_MAX) >= 0);
        assert_true(backoff_full_jitter(&r, attempt, 1, INT64_MAX) >= 0);
    }
    assert_int_equal(backoff_full_jitter(&r, 5, 0, 1000), 0);
    assert_int_equal(backoff_full_jitter(&r, 5, 1000, 0), 0);
    assert_int_equal(backoff_full_jitter(&r, 5, -1, -1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_up_to_the_cap),
        cmocka_unit_test(extremes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
