#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"

#define TEXT_MAX ((size_t)256 * 1024)

/* A scrape; freed by the caller. */
static struct buf scrape(const struct metrics *m, bool open_metrics) {
    struct buf out;
    buf_init(&out, TEXT_MAX);
    assert_true(metrics_append_text(m, open_metrics, &out));
    return out;
}

static void assert_has(const struct buf *text, const char *line) {
    char whole[256];
    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(text->data, whole))
        fail_msg("no line %s", line);
}

static void values_stand_beside_their_labels(void **state) {
    (void)state;
    struct metrics m;
    metrics_init(&m);
    m.applied = 7;
    m.dead_lettered[1] = 2;
    m.trouble[METRICS_DEAD_LETTERING][METRICS_DENIED] = 1;
    m.requests[METRICS_SQS][3] = 5;
    m.clock_offset = -3600500000;
    m.queue = (struct metrics_depth){4, 3, 2};
    m.rate_limit = 250;
    struct buf text = scrape(&m, false);
    assert_has(&text, "table_updater_messages_applied_total 7");
    assert_has(&text, "table_updater_messages_dead_lettered_total{error=\"ValidationError\"} 2");
    assert_has(&text, "table_updater_trouble{part=\"dead_lettering\",cause=\"denied\"} 1");
    assert_has(&text, "table_updater_trouble{part=\"dead_lettering\",cause=\"clock\"} 0");
    assert_has(&text, "table_updater_requests_total{service=\"sqs\",result=\"throttled\"} 5");
    assert_has(&text, "table_updater_clock_offset_seconds -3600.5");
    assert_has(&text, "table_updater_queue_messages{state=\"delayed\"} 2");
    assert_has(&text, "table_updater_rate_limit_transactions_per_second 250");
    assert_has(&text, "table_updater_build_info{version=\"" TABLE_UPDATER_VERSION "\"} 1");
    buf_free(&text);
}

static void what_is_not_known_has_no_sample(void **state) {
    (void)state;
    struct metrics m;
    metrics_init(&m);
    struct buf text = scrape(&m, false);
    static const char *const absent[] = {"\ntable_updater_queue_messages", "\ntable_updater_rate_limit",
                                         "\ntable_updater_credentials_expiry", "\nprocess_open_fds",
                                         "\ntable_updater_trouble_since"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_null(strstr(text.data, absent[i]));
    assert_null(strstr(text.data, "9223372036854775808"));
    buf_free(&text);
}

static void buckets_add_up_and_end_with_all(void **state) {
    (void)state;
    struct metrics m;
    metrics_init(&m);
    metrics_transaction(&m, 0, 4 * MILLISECOND);
    metrics_transaction(&m, 0, 4 * MILLISECOND);
    metrics_transaction(&m, 0, 100000 * MICROSECONDS);
    metrics_receive(&m, false, 0);
    metrics_receive(&m, false, 10);
    struct buf text = scrape(&m, true);
    assert_has(&text, "table_updater_transaction_seconds_bucket{le=\"0.0025\"} 0");
    assert_has(&text, "table_updater_transaction_seconds_bucket{le=\"0.005\"} 2");
    assert_has(&text, "table_updater_transaction_seconds_bucket{le=\"86400.0\"} 2");
    assert_has(&text, "table_updater_transaction_seconds_bucket{le=\"+Inf\"} 3");
    assert_has(&text, "table_updater_transaction_seconds_sum 100000.008");
    assert_has(&text, "table_updater_transaction_seconds_count 3");
    assert_has(&text, "table_updater_receive_messages_bucket{le=\"9.0\"} 1");
    assert_has(&text, "table_updater_receive_messages_bucket{le=\"10.0\"} 2");
    assert_has(&text, "table_updater_batch_messages_bucket{kind=\"dead_letter\",le=\"+Inf\"} 0");
    buf_free(&text);
}

static void both_formats_say_the_same_each_in_its_way(void **state) {
    (void)state;
    struct metrics m;
    metrics_init(&m);
    struct buf classic = scrape(&m, false), open = scrape(&m, true);
    assert_has(&classic, "# TYPE table_updater_messages_applied_total counter");
    assert_has(&open, "# TYPE table_updater_messages_applied counter");
    assert_has(&open, "table_updater_messages_applied_total 0");
    assert_null(strstr(classic.data, "# EOF"));
    assert_string_equal(open.data + open.len - 6, "# EOF\n");
    buf_free(&classic);
    buf_free(&open);
}

/* promtool's rules, and ours: no family twice, each with a sentence, counters end in _total. */
static void the_table_keeps_to_the_conventions(void **state) {
    (void)state;
    for (size_t i = 0; i < METRICS_COUNT; i++) {
        const struct metrics_row *row = &METRICS[i];
        size_t len = strlen(row->name);
        for (const char *c = row->name; *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        bool total = len > 6 && !strcmp(row->name + len - 6, "_total");
        assert_int_equal(total, row->kind == METRICS_COUNTER);
        assert_int_equal(row->help[strlen(row->help) - 1], '.');
        assert_null(strpbrk(row->help, "\"\\\n"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row->name, METRICS[j].name);
        for (size_t label = 0; label < 2; label++)
            for (size_t v = 0; v < row->labels[label].count; v++)
                assert_non_null(row->labels[label].values[v]);
    }
}

static void without_room_it_says_so(void **state) {
    (void)state;
    struct metrics m;
    metrics_init(&m);
    struct buf out;
    buf_init(&out, 1000);
    assert_false(metrics_append_text(&m, false, &out));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_beside_their_labels),
        cmocka_unit_test(what_is_not_known_has_no_sample),
        cmocka_unit_test(buckets_add_up_and_end_with_all),
        cmocka_unit_test(both_formats_say_the_same_each_in_its_way),
        cmocka_unit_test(the_table_keeps_to_the_conventions),
        cmocka_unit_test(without_room_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
