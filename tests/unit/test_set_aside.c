#include "set_aside.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND MICROSECONDS

static void each_time_is_twice_as_long_up_to_a_quarter_of_an_hour(void **state) {
    (void)state;
    static const unsigned seconds[] = {30, 60, 120, 240, 480, 900, 900, 900};
    struct set_aside s = {.count = 0};
    bool tell;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        assert_int_equal(set_aside_put(&s, 7, (int64_t)i * SECOND, &tell), seconds[i]);
    assert_int_equal(set_aside_put(&s, 8, 0, &tell), 30); /* another's own */
}

static void the_log_hears_of_each_at_once_and_then_every_ten_minutes_at_most(void **state) {
    (void)state;
    struct set_aside s = {.count = 0};
    bool tell = false;
    (void)set_aside_put(&s, 7, 0, &tell);
    assert_true(tell);
    (void)set_aside_put(&s, 7, 599 * SECOND, &tell);
    assert_false(tell);
    (void)set_aside_put(&s, 8, 599 * SECOND, &tell);
    assert_true(tell);
    (void)set_aside_put(&s, 7, 600 * SECOND, &tell);
    assert_true(tell);
    (void)set_aside_put(&s, 7, 1199 * SECOND, &tell);
    assert_false(tell);
}

static void who_gets_through_begins_anew(void **state) {
    (void)state;
    struct set_aside s = {.count = 0};
    bool tell;
    for (uint64_t hash = 0; hash < 5; hash++)
        (void)set_aside_put(&s, hash, 0, &tell);
    set_aside_forget(&s, 2);
    set_aside_forget(&s, 99); /* nobody */
    assert_false(set_aside_knows(&s, 2));
    for (uint64_t hash = 0; hash < 5; hash++)
        assert_int_equal(set_aside_put(&s, hash, SECOND, &tell), hash == 2 ? 30 : 60);
}

static void whatever_comes_it_is_bounded_and_the_newest_are_known(void **state) {
    (void)state;
    struct set_aside s = {.count = 0};
    bool tell;
    for (uint64_t hash = 0; hash < 100000; hash++) {
        assert_int_equal(set_aside_put(&s, hash, (int64_t)hash, &tell), 30);
        for (uint64_t back = 0; back < 100 && back <= hash; back++)
            assert_true(set_aside_knows(&s, hash - back));
    }
    assert_int_equal(s.count, SET_ASIDE_MAX);
    assert_false(set_aside_knows(&s, 0));
    for (uint64_t hash = 0; hash < 100000; hash++)
        set_aside_forget(&s, hash);
    assert_int_equal(s.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_time_is_twice_as_long_up_to_a_quarter_of_an_hour),
        cmocka_unit_test(the_log_hears_of_each_at_once_and_then_every_ten_minutes_at_most),
        cmocka_unit_test(who_gets_through_begins_anew),
        cmocka_unit_test(whatever_comes_it_is_bounded_and_the_newest_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
