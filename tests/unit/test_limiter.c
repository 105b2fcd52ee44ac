#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "limiter.h"

static unsigned take_all(struct limiter *l, int64_t now) {
    unsigned taken = 0;
    int64_t wait = 0;
    while (limiter_take(l, now, &wait))
        taken++;
    return taken;
}

static void a_burst_is_a_tenth_of_a_second_and_at_least_one(void **state) {
    (void)state;
    static const struct {
        uint32_t rate;
        unsigned burst;
    } cases[] = {{1, 1}, {9, 1}, {19, 1}, {20, 2}, {1000, 100}, {100000, 10000}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct limiter l;
        limiter_init(&l, cases[i].rate, 5);
        assert_int_equal(take_all(&l, 5), cases[i].burst);
        assert_int_equal(take_all(&l, 5 + 3600 * MICROSECONDS), cases[i].burst);
        assert_int_equal(take_all(&l, INT64_MAX), cases[i].burst);
    }
}

static void who_waits_as_told_gets_exactly_the_rate(void **state) {
    (void)state;
    static const uint32_t rates[] = {1, 3, 7, 10, 333, 99999, 100000};
    for (size_t i = 0; i < ARRAY_LENGTH(rates); i++) {
        struct limiter l;
        int64_t now = 1000;
        limiter_init(&l, rates[i], now);
        unsigned burst = take_all(&l, now);
        unsigned taken = 0;
        int64_t wait = 0;
        while (now <= 1000 + 10 * MICROSECONDS) {
            if (limiter_take(&l, now, &wait)) {
                taken++;
                continue;
            }
            assert_true(wait > 0);
            /* A microsecond less is too little. */
            struct limiter early = l;
            int64_t rest = 0;
            assert_false(limiter_take(&early, now + wait - 1, &rest));
            now += wait;
        }
        assert_true(burst >= 1);
        assert_int_equal(taken, 10 * rates[i]);
    }
}

static void no_rate_is_no_limit(void **state) {
    (void)state;
    struct limiter l;
    int64_t wait = 0;
    limiter_init(&l, 0, 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(limiter_take(&l, 0, &wait));
}

static void a_clock_that_stands_still_or_goes_back_earns_nothing(void **state) {
    (void)state;
    struct limiter l;
    int64_t wait = 0;
    limiter_init(&l, 10, MICROSECONDS);
    assert_true(limiter_take(&l, MICROSECONDS, &wait));
    assert_false(limiter_take(&l, MICROSECONDS, &wait));
    assert_int_equal(wait, 100000);
    assert_false(limiter_take(&l, 0, &wait));
    assert_int_equal(wait, 100000);
    assert_false(limiter_take(&l, MICROSECONDS, &wait));
    assert_int_equal(wait, 100000);
}

static void another_rate_holds_from_its_moment_on(void **state) {
    (void)state;
    struct limiter l;
    int64_t wait = 0, now = 0;
    unsigned taken = 0;
    limiter_init(&l, 1000, now);
    limiter_set_rate(&l, 10, now);
    for (; now < 10 * MICROSECONDS; now += MILLISECOND)
        taken += limiter_take(&l, now, &wait);
    assert_in_range(taken, 100, 102);
    limiter_set_rate(&l, 100, now);
    for (taken = 0; now < 20 * MICROSECONDS; now += MILLISECOND)
        taken += limiter_take(&l, now, &wait);
    assert_in_range(taken, 990, 1011);
    limiter_set_rate(&l, 0, now);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(limiter_take(&l, now, &wait));
    limiter_set_rate(&l, 1, now);
    assert_true(limiter_take(&l, now, &wait));
    assert_false(limiter_take(&l, now, &wait));
    assert_int_equal(wait, MICROSECONDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_a_tenth_of_a_second_and_at_least_one),
        cmocka_unit_test(who_waits_as_told_gets_exactly_the_rate),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_clock_that_stands_still_or_goes_back_earns_nothing),
        cmocka_unit_test(another_rate_holds_from_its_moment_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
