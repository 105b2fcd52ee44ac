#include "http_dials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Opens connections, as many at once as it says: each takes the way there and back, and its share of a CPU. */
static size_t open_many(int64_t way, int64_t cpu, size_t count) {
    struct http_dials d;
    http_dials_init(&d);
    http_dials_learn(&d, way + cpu); /* the first is alone */
    for (size_t i = 0; i < count; i++) {
        http_dials_learn(&d, way + cpu * (int64_t)d.most);
    }
    return d.most;
}

static void where_handshakes_wait_for_the_cpu_few_are_made_at_once(void **state) {
    (void)state;
    assert_int_equal(open_many(200, 800, 200), 4);
    assert_in_range(open_many(5000, 800, 200), 4, 5);
}

static void far_servers_are_waited_for_side_by_side(void **state) {
    (void)state;
    assert_in_range(open_many(100000, 800, 200), 25, 40);
    assert_int_equal(open_many(200000, 100, 200), 64);
}

static void what_was_learnt_of_a_quiet_time_is_forgotten_in_a_busy_one(void **state) {
    (void)state;
    struct http_dials d;
    http_dials_init(&d);
    for (size_t i = 0; i < 100; i++) {
        http_dials_learn(&d, 1000);
    }
    assert_int_equal(d.most, 64);
    for (size_t i = 0; i < 100; i++) {
        http_dials_learn(&d, 5000);
    }
    assert_int_equal(d.most, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_handshakes_wait_for_the_cpu_few_are_made_at_once),
        cmocka_unit_test(far_servers_are_waited_for_side_by_side),
        cmocka_unit_test(what_was_learnt_of_a_quiet_time_is_forgotten_in_a_busy_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
