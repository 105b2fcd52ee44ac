#include "moment.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW (1704677672LL * MICROSECONDS) /* 2024-01-08T01:34:32Z */

static void a_duration_is_back_from_now(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"0s", 0},       {"90s", 90},         {"15m", 900},   {"2h", 7200},
        {"1h30m", 5400}, {"3d", 259200},      {"1w", 604800}, {"1w2d3h4m5s", 604800 + 183845},
        {"007s", 7},     {"1000d", 86400000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t wall = -1;
        assert_true(moment_read(span_cstr(cases[i].text), NOW, &wall));
        assert_int_equal(wall, NOW - cases[i].seconds * MICROSECONDS);
    }
}

static void a_time_is_itself(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"2024-01-08T01:34:32Z", 1704677672},
        {"2024-01-08T02:34:32+01:00", 1704677672},
        {"2024-01-08 01:34:32Z", 1704677672},
        {"2024-01-08T01:34Z", 1704677640},
        {"2024-01-08T02:34+01:00", 1704677640},
        {"2024-01-07T20:34-0500", 1704677640},
        {"2024-01-08", 1704672000},
        {"1970-01-01", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t wall = -1;
        if (!moment_read(span_cstr(cases[i].text), NOW, &wall) || wall != cases[i].seconds * MICROSECONDS)
            fail_msg("%s is %lld", cases[i].text, (long long)wall);
    }
}

static void what_is_neither_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "s",
        "5",
        "5x",
        "5 s",
        "-5s",
        "5m1h",
        "5s5s",
        "1.5h",
        "h1",
        "yesterday",
        "now",
        "2024-01-08T01:34:32",
        "2024-01-08T01:34",
        "2024-13-01",
        "2024-02-30",
        "2024-1-8",
        "24:00",
        "99999999999999999999s",
        "36501d",
        "300w300w",
        "60w",
        "1969-12-31",
        "2024-01-08T01:34:32Zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t wall = 7;
        bool old = strcmp(cases[i], "60w") == 0; /* before 1970, for a clock of its first year */
        if (moment_read(span_cstr(cases[i]), old ? 1 : NOW, &wall))
            fail_msg("\"%s\" is %lld", cases[i], (long long)wall);
        assert_int_equal(wall, 7);
    }
    int64_t wall = 7;
    assert_false(moment_read(span_of("2024-01-08\0", 11), NOW, &wall));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_back_from_now),
        cmocka_unit_test(a_time_is_itself),
        cmocka_unit_test(what_is_neither_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
