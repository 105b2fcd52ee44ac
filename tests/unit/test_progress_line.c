#include "progress_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct progress_options options = {.what = "enqueue", .unit = "rows", .bad = "rejected"};
static char text[1024];

static const char *line_of(struct progress_view view, struct progress_figures figures, size_t width, bool color) {
    struct buf out = {.data = text, .capacity = sizeof text, .max = sizeof text - 1, .lent = true};
    text[0] = '\0';
    progress_line_append(&options, &view, &figures, width, color, &out);
    assert_true(buf_ok(&out));
    return text;
}

static void it_has_bar_percent_rows_rejected_rate_and_time_left(void **state) {
    (void)state;
    assert_string_equal(line_of((struct progress_view){.rows = 1234567, .rejected = 12, .done = 45, .whole = 100},
                                (struct progress_figures){98765.4, 83}, 120, false),
                        "enqueue  [#############-----------------]   45%  1,234,567 rows  12 rejected  98,765/s  "
                        "1 min 23 s left");
}

static void what_is_not_known_is_left_out(void **state) {
    (void)state;
    assert_string_equal(line_of((struct progress_view){.rows = 5}, (struct progress_figures){-1, -1}, 79, false),
                        "enqueue  5 rows");
    assert_string_equal(
        line_of((struct progress_view){.rows = 5, .waiting = true}, (struct progress_figures){7, 9}, 79, false),
        "enqueue  5 rows  waiting");
}

static void the_last_percent_is_told_when_all_was_read(void **state) {
    (void)state;
    assert_non_null(strstr(
        line_of((struct progress_view){.done = 99999, .whole = 100000}, (struct progress_figures){-1, -1}, 79, false),
        " 99%"));
    assert_non_null(strstr(
        line_of((struct progress_view){.done = 7, .whole = 7}, (struct progress_figures){-1, -1}, 79, false), "100%"));
    /* A file that grows is no reason for more. */
    assert_non_null(strstr(
        line_of((struct progress_view){.done = 8, .whole = 7}, (struct progress_figures){-1, -1}, 79, false), "100%"));
}

static void no_width_is_exceeded(void **state) {
    (void)state;
    const struct progress_view view = {UINT64_MAX, UINT64_MAX, UINT64_MAX / 2, UINT64_MAX, false};
    for (size_t width = 0; width < PROGRESS_WIDTH_MAX; width++) {
        assert_true(strlen(line_of(view, (struct progress_figures){1e18, 1e12}, width, false)) <= width);
    }
}

static void colors_take_no_columns(void **state) {
    (void)state;
    const struct progress_view view = {100, 3, 50, 100, false};
    for (size_t width = 10; width < 120; width++) {
        char plain[1024], bare[1024];
        size_t len = 0;
        (void)snprintf(plain, sizeof plain, "%s", line_of(view, (struct progress_figures){10, 5}, width, false));
        const char *colored = line_of(view, (struct progress_figures){10, 5}, width, true);
        for (const char *at = colored; *at; at++) {
            if (*at == '\033') {
                at = strchr(at, 'm');
                assert_non_null(at);
                continue;
            }
            bare[len++] = *at;
        }
        bare[len] = '\0';
        assert_string_equal(bare, plain);
    }
}

static void times_are_told_in_two_units(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0 s"},
                 {59.4, "59 s"},
                 {59.6, "1 min 00 s"},
                 {3599, "59 min 59 s"},
                 {3600, "1 h 00 min"},
                 {86400 + 7200, "1 d 02 h"},
                 {1e30, "11574 d 01 h"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        progress_append_time(cases[i].seconds, &out);
        assert_true(buf_ok(&out));
        assert_string_equal(out.data, cases[i].text);
        buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_bar_percent_rows_rejected_rate_and_time_left),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(the_last_percent_is_told_when_all_was_read),
        cmocka_unit_test(no_width_is_exceeded),
        cmocka_unit_test(colors_take_no_columns),
        cmocka_unit_test(times_are_told_in_two_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
