#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "http_date.h"

static void a_fixed_date_is_read(void **state) {
    static const struct {
        const char *text;
        int64_t second;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},  {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199}, {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Wed, 31 Dec 2008 23:59:60 GMT", 1230768000}, /* a leap second */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t wall = -1;
        assert_true(http_date_parse(span_cstr(cases[i].text), &wall));
        assert_int_equal(wall, cases[i].second * MICROSECONDS);
    }
}

static void anything_else_is_refused_and_writes_nothing(void **state) {
    static const char *const texts[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:-7 GMT",
        "1234567890",
    };
    (void)state;
    int64_t wall = 42;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        assert_false(http_date_parse(span_cstr(texts[i]), &wall));
    }
    assert_false(http_date_parse(span_cstr(NULL), &wall));
    assert_int_equal(wall, 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_date_is_read),
        cmocka_unit_test(anything_else_is_refused_and_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
