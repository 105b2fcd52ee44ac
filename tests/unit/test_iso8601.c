#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "iso8601.h"

static void a_moment_with_its_zone_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t microseconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2024-01-08T01:34:32Z", 1704677672LL * MICROSECONDS},
        {"2024-01-08T01:34:32.343Z", 1704677672LL * MICROSECONDS + 343000},
        {"2024-01-08T01:34:32.3431239Z", 1704677672LL * MICROSECONDS + 343123},
        {"2024-01-08T03:34:32+02:00", 1704677672LL * MICROSECONDS},
        {"2024-01-07T20:04:32-0530", 1704677672LL * MICROSECONDS},
        {"2024-01-08 01:34:32z", 1704677672LL * MICROSECONDS},
        {"2024-01-08T01:34:32UTC", 1704677672LL * MICROSECONDS},
        {"2024-02-29T00:00:00Z", 1709164800LL * MICROSECONDS},
        {"2016-12-31T23:59:60Z", 1483228800LL * MICROSECONDS},
        {"9999-12-31T23:59:59Z", 253402300799LL * MICROSECONDS},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t wall = -1;
        if (!iso8601_parse(span_cstr(cases[i].text), &wall) || wall != cases[i].microseconds) {
            fail_msg("%s: %lld", cases[i].text, (long long)wall);
        }
    }
}

static void what_is_no_moment_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "2024",
        "2024-01-08",
        "2024-01-08T01:34:32",
        "2024-01-08T01:34Z",
        "2024-01-08T01:34:32.Z",
        "2024-13-08T01:34:32Z",
        "2024-02-30T01:34:32Z",
        "2023-02-29T00:00:00Z",
        "2024-00-10T01:34:32Z",
        "2024-01-00T01:34:32Z",
        "2024-01-08T24:00:00Z",
        "2024-01-08T01:60:00Z",
        "2024-01-08T01:34:61Z",
        "2024-01-08T01:34:32+2:00",
        "2024-01-08T01:34:32+24:00",
        "2024-01-08T01:34:32Zx",
        "x2024-01-08T01:34:32Z",
        "1704677672",
        "2024-01-08T01:34:32 Z",
        "-024-01-08T01:34:32Z",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t wall = 17;
        if (iso8601_parse(span_cstr(cases[i]), &wall) || wall != 17) {
            fail_msg("%s", cases[i]);
        }
    }
}

static void what_clock_iso8601_writes_is_read_back(void **state) {
    (void)state;
    for (int64_t wall = 0; wall < 253402300800LL * MICROSECONDS; wall += 7919LL * 86399 * MICROSECONDS + 123000) {
        char text[ISO8601_SIZE];
        int64_t back = -1;
        clock_iso8601(wall, text);
        assert_true(iso8601_parse(span_cstr(text), &back));
        assert_int_equal(back, wall / MILLISECOND * MILLISECOND);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_with_its_zone_is_read),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(what_clock_iso8601_writes_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
