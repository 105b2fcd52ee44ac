#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"

#include <string.h>
#include <time.h>

struct stamp {
    int64_t wall;
    const char *text;
};

static void assert_written(const struct stamp *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[ISO8601_SIZE];
        clock_iso8601(cases[i].wall, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void moments_are_written_in_utc_with_milliseconds(void **state) {
    (void)state;
    static const struct stamp cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.000Z"},
        {1000, "1970-01-01T00:00:00.001Z"},
        {1704677672343000, "2024-01-08T01:34:32.343Z"},
        {951782399999999, "2000-02-28T23:59:59.999Z"},
        {951782400000000, "2000-02-29T00:00:00.000Z"},
        {4107542399000000, "2100-02-28T23:59:59.000Z"},
        {4107542400000000, "2100-03-01T00:00:00.000Z"},
        {253402300799999999, "9999-12-31T23:59:59.999Z"},
    };
    assert_written(cases, ARRAY_LENGTH(cases));
}

static void every_day_has_the_date_that_the_c_library_gives_it(void **state) {
    (void)state;
    for (int64_t day = 0; day < 2932897; day++) {
        time_t noon = (time_t)(day * 86400 + 43200);
        struct tm t;
        char text[ISO8601_SIZE], expected[2 * ISO8601_SIZE];
        assert_non_null(gmtime_r(&noon, &t));
        assert_int_equal(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &t), ISO8601_SIZE - 1);
        clock_iso8601(noon * MICROSECONDS, text);
        if (strcmp(text, expected) != 0)
            fail_msg("%s is written %s", expected, text);
    }
}

static void moments_out_of_range_are_clamped(void **state) {
    (void)state;
    static const struct stamp cases[] = {
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
        {253402300800000000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    assert_written(cases, ARRAY_LENGTH(cases));
}

static void the_system_clocks_count_microseconds(void **state) {
    (void)state;
    struct clock clock = clock_system();
    int64_t seconds = (int64_t)time(NULL);
    int64_t wall = clock_wall(&clock);
    /* time() reads a coarser clock, which may be a tick behind. */
    assert_true(wall / MICROSECONDS >= seconds && wall / MICROSECONDS <= seconds + 60);
    int64_t earlier = clock_monotonic(&clock);
    assert_true(clock_monotonic(&clock) >= earlier);
    assert_true(earlier > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(every_day_has_the_date_that_the_c_library_gives_it),
        cmocka_unit_test(moments_out_of_range_are_clamped),
        cmocka_unit_test(the_system_clocks_count_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
