#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "receive_size.h"

#define SECOND MICROSECONDS
#define HIDDEN (30 * SECOND)

static void cut(struct receive_size *s, unsigned asked, int64_t now, unsigned most) {
    receive_size_cut(s, asked, HIDDEN, now);
    assert_int_equal(s->most, most);
}

static void came(struct receive_size *s, unsigned asked, int64_t took, int64_t now, unsigned most) {
    (void)receive_size_came(s, asked, took, HIDDEN, now);
    assert_int_equal(s->most, most);
}

static void fault_32_after_one_that_was_cut_fewer_are_asked_for_down_to_one(void **state) {
    (void)state;
    struct receive_size s;
    receive_size_init(&s);
    assert_int_equal(s.most, 10);
    cut(&s, 10, 0, 5);
    cut(&s, 5, 0, 2);
    cut(&s, 2, 0, 1);
    cut(&s, 1, 0, 1);
}

static void those_that_were_out_with_it_count_no_more(void **state) {
    (void)state;
    struct receive_size s;
    receive_size_init(&s);
    for (unsigned i = 0; i < 5; i++)
        cut(&s, 10, 0, 5);
}

static void more_are_asked_for_when_the_cut_ones_messages_have_come_again(void **state) {
    (void)state;
    struct receive_size s;
    receive_size_init(&s);
    cut(&s, 10, 0, 5);
    cut(&s, 5, 0, 2);
    came(&s, 2, 0, 59 * SECOND, 2);
    came(&s, 2, 0, 60 * SECOND, 4);
    came(&s, 4, 0, 119 * SECOND, 4); /* step by step */
    came(&s, 4, 0, 120 * SECOND, 8);
    cut(&s, 8, 121 * SECOND, 4); /* it came again */
    came(&s, 4, 0, 180 * SECOND, 4);
    came(&s, 4, 0, 181 * SECOND, 8);
    came(&s, 8, 0, 241 * SECOND, 10);
}

static void what_cuts_all_for_long_is_no_messages_own(void **state) {
    (void)state;
    struct receive_size s;
    receive_size_init(&s);
    for (unsigned i = 0; i < 20; i++)
        receive_size_cut(&s, s.most, HIDDEN, i * SECOND);
    came(&s, 1, 0, 20 * SECOND, 2);
    came(&s, 2, 0, 20 * SECOND, 4);
    came(&s, 4, 0, 20 * SECOND, 8);
    came(&s, 8, 0, 20 * SECOND, 10);
}

static void fault_32_after_one_that_came_slowly_fewer_are_asked_for(void **state) {
    (void)state;
    struct receive_size s;
    receive_size_init(&s);
    assert_int_equal(receive_size_came(&s, 10, 1 * SECOND, HIDDEN, 0), PACE_QUICK);
    assert_int_equal(receive_size_came(&s, 10, 7 * SECOND, HIDDEN, 0), PACE_FAIR);
    came(&s, 10, 7 * SECOND, 0, 10);
    assert_int_equal(receive_size_came(&s, 10, 8 * SECOND, HIDDEN, 0), PACE_SLOW);
    assert_int_equal(s.most, 5);
    came(&s, 10, 8 * SECOND, 0, 5); /* it was out already */
    came(&s, 5, 8 * SECOND, 0, 2);
    came(&s, 2, 7 * SECOND, 0, 2);
    came(&s, 2, 8 * SECOND, 0, 1);
    came(&s, 1, 8 * SECOND, 0, 1);
    came(&s, 1, SECOND, 0, 2);
    came(&s, 2, SECOND, 0, 4);
}

static void room_is_reserved_by_what_came_lately(void **state) {
    (void)state;
    const size_t max = 1 << 20;
    struct receive_size s;
    receive_size_init(&s);
    assert_int_equal(receive_size_reserve(&s, max), max); /* nobody knows */
    receive_size_note(&s, 200);
    assert_in_range(receive_size_reserve(&s, max), 400, 2000);
    receive_size_note(&s, 300000);
    assert_in_range(receive_size_reserve(&s, max), 600000, max);
    for (unsigned i = 0; i < 100; i++)
        receive_size_note(&s, 200);
    assert_in_range(receive_size_reserve(&s, max), 10000, 200000);
    for (unsigned i = 0; i < 1000; i++)
        receive_size_note(&s, 200);
    assert_in_range(receive_size_reserve(&s, max), 400, 2000);
    receive_size_note(&s, max);
    assert_int_equal(receive_size_reserve(&s, max), max);
    assert_int_equal(receive_size_reserve(&s, 1024), 1024);
    receive_size_note(&s, (size_t)64 << 20);
    assert_int_equal(receive_size_reserve(&s, max), max);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_32_after_one_that_was_cut_fewer_are_asked_for_down_to_one),
        cmocka_unit_test(those_that_were_out_with_it_count_no_more),
        cmocka_unit_test(more_are_asked_for_when_the_cut_ones_messages_have_come_again),
        cmocka_unit_test(what_cuts_all_for_long_is_no_messages_own),
        cmocka_unit_test(fault_32_after_one_that_came_slowly_fewer_are_asked_for),
        cmocka_unit_test(room_is_reserved_by_what_came_lately),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
