#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "metrics_emf.h"

#define WALL (1700000000123 * MILLISECOND)

static struct buf line(struct metrics_emf *e, const struct metrics *m, const char *queue) {
    struct buf out;
    buf_init(&out, 65536);
    assert_true(metrics_emf_append(e, m, queue, "users", WALL, &out));
    return out;
}

static void assert_has(const struct buf *text, const char *piece) {
    if (!strstr(text->data, piece))
        fail_msg("no %s in %s", piece, text->data);
}

static void a_line_tells_what_happened_since_the_last_one(void **state) {
    (void)state;
    struct metrics m;
    struct metrics_emf e = {0};
    metrics_init(&m);
    m.max_in_flight = 256;
    m.in_flight[METRICS_WORKING] = 3;
    m.in_flight[METRICS_DONE] = 4;
    m.oldest_age = 90 * MICROSECONDS;
    metrics_applied(&m, NEVER, 2 * MILLISECOND);
    metrics_applied(&m, NEVER, 600 * MILLISECOND);
    metrics_applied(&m, NEVER, 600 * MILLISECOND);
    metrics_dead_lettered(&m, 1, WALL);
    metrics_transaction(&m, METRICS_VERDICT_THROTTLED, 1);
    struct buf text = line(&e, &m, "updates");
    assert_has(&text, "{\"_aws\":{\"Timestamp\":1700000000123,\"CloudWatchMetrics\":[{\"Namespace\":\"table-updater\","
                      "\"Dimensions\":[[\"Queue\",\"Table\"]],\"Metrics\":[{\"Name\":\"Applied\",\"Unit\":\"Count\"}");
    assert_has(&text,
               "\"Queue\":\"updates\",\"Table\":\"users\",\"Applied\":3,\"Errors\":1,\"Throttles\":1,"
               "\"DurationMs\":{\"Values\":[2.5,1000],\"Counts\":[1,2]},\"InFlight\":7,\"OldestMessageAge\":90}\n");
    assert_int_equal(text.data[text.len - 1], '\n');
    buf_free(&text);
    metrics_applied(&m, NEVER, 90000 * MICROSECONDS);
    text = line(&e, &m, "updates");
    assert_has(&text,
               "\"Applied\":1,\"Errors\":0,\"Throttles\":0,\"DurationMs\":{\"Values\":[172800000],\"Counts\":[1]}");
    buf_free(&text);
}

static void the_seconds_that_the_credentials_last_are_told_past_their_end_too(void **state) {
    (void)state;
    struct metrics m;
    struct metrics_emf e = {0};
    metrics_init(&m);
    m.credentials_expire = WALL + 290 * MICROSECONDS;
    struct buf text = line(&e, &m, "updates");
    assert_has(&text, "{\"Name\":\"CredentialsLeft\",\"Unit\":\"Seconds\"}");
    assert_has(&text, ",\"CredentialsLeft\":290}\n");
    buf_free(&text);
    m.credentials_expire = WALL - 61 * MICROSECONDS;
    text = line(&e, &m, "updates");
    assert_has(&text, ",\"CredentialsLeft\":-61}\n");
    buf_free(&text);
}

static void what_is_not_known_is_neither_defined_nor_told(void **state) {
    (void)state;
    struct metrics m;
    struct metrics_emf e = {0};
    metrics_init(&m);
    struct buf text = line(&e, &m, "");
    assert_null(strstr(text.data, "InFlight"));
    assert_null(strstr(text.data, "OldestMessageAge"));
    assert_null(strstr(text.data, "DurationMs"));
    assert_null(strstr(text.data, "CredentialsLeft"));
    assert_null(strstr(text.data, "Queue"));
    assert_has(&text, "\"Dimensions\":[[\"Table\"]]");
    assert_has(&text, "\"Applied\":0");
    buf_free(&text);
}

static void a_line_without_room_is_told_with_the_next(void **state) {
    (void)state;
    struct metrics m;
    struct metrics_emf e = {0};
    metrics_init(&m);
    metrics_applied(&m, NEVER, 1);
    struct buf out;
    buf_init(&out, 100);
    assert_false(metrics_emf_append(&e, &m, "updates", "users", WALL, &out));
    buf_free(&out);
    struct buf text = line(&e, &m, "updates");
    assert_has(&text, "\"Applied\":1");
    buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_what_happened_since_the_last_one),
        cmocka_unit_test(the_seconds_that_the_credentials_last_are_told_past_their_end_too),
        cmocka_unit_test(what_is_not_known_is_neither_defined_nor_told),
        cmocka_unit_test(a_line_without_room_is_told_with_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
