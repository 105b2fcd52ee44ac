#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reconcile_words.h"

static const struct reconcile_counts all_kinds = {
    .rows = 100000000,
    .applied = 99999990,
    .failed = 4,
    .pending = 3,
    .unknown = 3,
    .errors = {{"ValidationError", 3}, {"ConditionalCheckFailed", 1}},
};

static void assert_text(bool json, const struct reconcile_counts *counts, const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    assert_true(json ? reconcile_append_json(counts, &out) : reconcile_append_table(counts, &out));
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void the_table_has_the_errors_beneath_the_failed(void **state) {
    (void)state;
    assert_text(false, &all_kinds,
                "applied          99999990\n"
                "failed                  4\n"
                "                        3  ValidationError\n"
                "                        1  ConditionalCheckFailed\n"
                "pending                 3\n"
                "unknown                 3\n"
                "rows            100000000\n");
}

static void what_is_not_unknown_is_not_spoken_of(void **state) {
    (void)state;
    static const struct reconcile_counts plain = {.rows = 3, .applied = 2, .pending = 1};
    assert_text(false, &plain,
                "applied                 2\n"
                "failed                  0\n"
                "pending                 1\n"
                "rows                    3\n");
    assert_text(true, &plain, "{\"applied\":2,\"failed\":0,\"pending\":1,\"rows\":3}\n");
    assert_text(true, &all_kinds,
                "{\"applied\":99999990,\"failed\":4,\"pending\":3,\"unknown\":3,\"rows\":100000000}\n");
}

static void a_buffer_that_is_full_is_told(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 10);
    assert_false(reconcile_append_table(&all_kinds, &out));
    buf_reset(&out);
    assert_false(reconcile_append_json(&all_kinds, &out));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_the_errors_beneath_the_failed),
        cmocka_unit_test(what_is_not_unknown_is_not_spoken_of),
        cmocka_unit_test(a_buffer_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
