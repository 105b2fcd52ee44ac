#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "metrics.h"

static void a_duration_counts_in_the_first_bucket_that_holds_it(void **state) {
    (void)state;
    static const struct {
        int64_t duration;
        size_t bucket;
    } cases[] = {{-5, 0},
                 {0, 0},
                 {1000, 0},
                 {1001, 1},
                 {2500, 1},
                 {1 * MICROSECONDS, 9},
                 {86400 * MICROSECONDS, 19},
                 {86400 * MICROSECONDS + 1, HISTOGRAM_BUCKETS}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct histogram h = {0};
        histogram_duration(&h, cases[i].duration);
        assert_int_equal(h.counts[cases[i].bucket], 1);
        assert_int_equal(histogram_count(&h), 1);
        assert_int_equal(h.sum, cases[i].duration > 0 ? cases[i].duration : 0);
    }
}

static void the_bounds_rise(void **state) {
    (void)state;
    for (size_t i = 1; i < HISTOGRAM_BUCKETS; i++)
        assert_true(HISTOGRAM_DURATIONS[i] > HISTOGRAM_DURATIONS[i - 1]);
}

static void where_nobody_wants_figures_nothing_happens(void **state) {
    (void)state;
    metrics_received(NULL);
    metrics_applied(NULL, 1, 1);
    metrics_dead_lettered(NULL, 1, 1);
    metrics_returned(NULL);
    metrics_set_aside(NULL);
    metrics_lease_lost(NULL);
    metrics_undeleted(NULL);
    metrics_extension(NULL, true);
    metrics_receive(NULL, false, 3);
    metrics_transaction(NULL, 0, 1);
    metrics_batch(NULL, METRICS_DELETES, false, 3, 1);
    metrics_request(NULL, METRICS_SQS, 0);
}

static void only_the_last_dead_letters_are_kept(void **state) {
    (void)state;
    struct metrics m = {0};
    for (unsigned i = 0; i < 50; i++)
        metrics_dead_lettered(&m, i % METRICS_ERRORS + 1, i);
    assert_int_equal(m.dead_letters_seen, 50);
    assert_int_equal(m.dead_lettered[0], 10);
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < METRICS_LAST_DEAD_LETTERS; i++)
        oldest = m.last_dead_letters[i].wall < oldest ? m.last_dead_letters[i].wall : oldest;
    assert_int_equal(oldest, 30);
}

static void a_message_without_a_time_of_sending_is_applied_all_the_same(void **state) {
    (void)state;
    struct metrics m = {0};
    metrics_applied(&m, NEVER, 7);
    assert_int_equal(m.applied, 1);
    assert_int_equal(histogram_count(&m.sent_to_applied), 0);
    assert_int_equal(histogram_count(&m.received_to_applied), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_counts_in_the_first_bucket_that_holds_it),
        cmocka_unit_test(the_bounds_rise),
        cmocka_unit_test(where_nobody_wants_figures_nothing_happens),
        cmocka_unit_test(only_the_last_dead_letters_are_kept),
        cmocka_unit_test(a_message_without_a_time_of_sending_is_applied_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
