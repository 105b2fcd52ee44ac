#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics_history.h"

static void a_step_holds_what_happened_within_it(void **state) {
    (void)state;
    static struct metrics_history h;
    struct metrics m;
    metrics_init(&m);
    metrics_applied(&m, NEVER, 1);
    metrics_history_begin(&h, &m, 1000);
    assert_int_equal(metrics_history_length(&h), 0);
    assert_int_equal(metrics_history_rate(&h), 0);
    for (unsigned i = 0; i < 99; i++)
        metrics_applied(&m, NEVER, 8 * MILLISECOND);
    metrics_applied(&m, NEVER, 4 * MICROSECONDS);
    metrics_dead_lettered(&m, 3, 1);
    m.in_flight[0] = 2;
    m.in_flight[4] = 3;
    m.queue = (struct metrics_depth){10, 20, 30};
    metrics_history_step(&h, &m, 1000 + HISTORY_STEP, 77);
    const struct history_step *s = metrics_history_at(&h, 0);
    assert_int_equal(s->wall, 77);
    assert_int_equal(s->duration, HISTORY_STEP);
    assert_int_equal(s->applied, 100);
    assert_int_equal(s->dead_lettered[2], 1);
    assert_in_range(s->median, 5 * MILLISECOND, 10 * MILLISECOND);
    assert_in_range(s->p99, 5 * MILLISECOND, 10 * MILLISECOND);
    assert_int_equal(s->in_flight, 5);
    assert_int_equal(s->backlog, 60);
    assert_true(s->dlq == METRICS_ABSENT);
    assert_int_equal(metrics_history_rate(&h), 100); /* tenths a second */
    metrics_history_step(&h, &m, 1000 + 2 * HISTORY_STEP, 78);
    assert_int_equal(metrics_history_at(&h, 1)->applied, 0);
    assert_true(metrics_history_at(&h, 1)->p99 == METRICS_ABSENT);
}

static void only_the_last_fifteen_minutes_are_kept_the_oldest_first(void **state) {
    (void)state;
    static struct metrics_history h;
    struct metrics m;
    metrics_init(&m);
    metrics_history_begin(&h, &m, 0);
    for (int64_t i = 1; i <= 3 * HISTORY_STEPS + 7; i++)
        metrics_history_step(&h, &m, i * HISTORY_STEP, i);
    assert_int_equal(metrics_history_length(&h), HISTORY_STEPS);
    for (size_t i = 0; i < HISTORY_STEPS; i++)
        assert_int_equal(metrics_history_at(&h, i)->wall, 2 * HISTORY_STEPS + 8 + (int64_t)i);
}

static void a_quantile_is_found_in_its_bucket(void **state) {
    (void)state;
    struct histogram none = {0}, h = {0};
    assert_true(histogram_quantile(&h, &none, 500) == METRICS_ABSENT);
    for (unsigned i = 0; i < 10; i++)
        histogram_duration(&h, 20 * MILLISECOND);
    assert_in_range(histogram_quantile(&h, &none, 500), 10 * MILLISECOND, 25 * MILLISECOND);
    histogram_duration(&h, 200000 * MICROSECONDS);
    assert_int_equal(histogram_quantile(&h, &none, 1000), 86400 * MICROSECONDS); /* or more: it isn't known */
    assert_in_range(histogram_quantile(&h, &none, 900), 10 * MILLISECOND, 25 * MILLISECOND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_holds_what_happened_within_it),
        cmocka_unit_test(only_the_last_fifteen_minutes_are_kept_the_oldest_first),
        cmocka_unit_test(a_quantile_is_found_in_its_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
