#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_headers.h"

#include <string.h>

static void assert_header(const struct http_headers *h, enum http_header header, const char *expected) {
    struct span value = http_headers_get(h, header);
    assert_true(expected ? value.data && span_is(value, expected) : !value.data);
}

static void what_is_kept_is_found_by_its_name_whatever_its_case(void **state) {
    (void)state;
    struct http_headers h = {0};
    http_headers_keep(&h, SPAN("DATE"), SPAN("Sun, 06 Nov 1994 08:49:37 GMT"));
    http_headers_keep(&h, SPAN("x-amz-CRC32"), SPAN("7"));
    http_headers_keep(&h, SPAN("x-amzn-requestid"), SPAN(""));
    http_headers_keep(&h, SPAN("retry-after "), SPAN("5"));
    http_headers_keep(&h, SPAN("x-amzn-errortyp"), SPAN("shorter"));
    http_headers_keep(&h, SPAN("x-amzn-errortypes"), SPAN("longer"));
    http_headers_keep(&h, SPAN(""), SPAN("none"));
    assert_header(&h, HTTP_DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_header(&h, HTTP_CRC32, "7");
    assert_header(&h, HTTP_REQUEST_ID, "");
    assert_header(&h, HTTP_RETRY_AFTER, NULL);
    assert_header(&h, HTTP_ERROR_TYPE, NULL);
}

static void a_new_beginning_forgets_the_values_and_not_the_count(void **state) {
    (void)state;
    struct http_headers h = {0};
    assert_true(http_headers_count(&h, HEADERS_CEILING));
    http_headers_keep(&h, SPAN("Date"), SPAN("then"));
    http_headers_begin(&h);
    assert_header(&h, HTTP_DATE, NULL);
    http_headers_keep(&h, SPAN("Date"), SPAN("now"));
    assert_header(&h, HTTP_DATE, "now");
    assert_false(http_headers_count(&h, 1));
    http_headers_reset(&h);
    assert_header(&h, HTTP_DATE, NULL);
    assert_true(http_headers_count(&h, 1));
}

static void the_last_of_one_name_holds_but_for_one_too_long(void **state) {
    (void)state;
    struct http_headers h = {0};
    char value[KEPT_HEADER_SIZE];
    memset(value, 'x', sizeof value);
    http_headers_keep(&h, SPAN("Date"), SPAN("first"));
    http_headers_keep(&h, SPAN("Date"), span_of(value, KEPT_HEADER_SIZE));
    assert_header(&h, HTTP_DATE, "first");
    http_headers_keep(&h, SPAN("Date"), span_of(value, KEPT_HEADER_SIZE - 1));
    assert_int_equal(http_headers_get(&h, HTTP_DATE).len, KEPT_HEADER_SIZE - 1);
    http_headers_keep(&h, SPAN("Date"), SPAN("last"));
    assert_header(&h, HTTP_DATE, "last");
}

static void one_that_does_not_fit_beside_the_others_is_absent_until_there_is_room(void **state) {
    (void)state;
    static const char *const names[] = {"Date", "Server", "Retry-After", "x-amzn-RequestId"};
    struct http_headers h = {0};
    char value[KEPT_HEADER_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        memset(value, (int)('a' + i), sizeof value);
        http_headers_keep(&h, span_cstr(names[i]), span_of(value, KEPT_HEADER_SIZE - 1));
    }
    assert_header(&h, HTTP_REQUEST_ID, NULL);
    http_headers_keep(&h, SPAN("Server"), SPAN("s"));
    http_headers_keep(&h, SPAN("x-amzn-RequestId"), span_of(value, KEPT_HEADER_SIZE - 1));
    assert_header(&h, HTTP_SERVER, "s");
    memset(value, 'a', sizeof value);
    assert_true(span_equal(http_headers_get(&h, HTTP_DATE), span_of(value, KEPT_HEADER_SIZE - 1)));
    memset(value, 'c', sizeof value);
    assert_true(span_equal(http_headers_get(&h, HTTP_RETRY_AFTER), span_of(value, KEPT_HEADER_SIZE - 1)));
    memset(value, 'd', sizeof value);
    assert_true(span_equal(http_headers_get(&h, HTTP_REQUEST_ID), span_of(value, KEPT_HEADER_SIZE - 1)));
}

static void bytes_beyond_the_ceiling_are_refused(void **state) {
    (void)state;
    struct http_headers h = {0};
    assert_true(http_headers_count(&h, HEADERS_CEILING - 4));
    assert_false(http_headers_count(&h, SIZE_MAX));
    assert_false(http_headers_count(&h, 5));
    assert_true(http_headers_count(&h, 4));
    assert_true(http_headers_count(&h, 0));
    assert_false(http_headers_count(&h, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_found_by_its_name_whatever_its_case),
        cmocka_unit_test(a_new_beginning_forgets_the_values_and_not_the_count),
        cmocka_unit_test(the_last_of_one_name_holds_but_for_one_too_long),
        cmocka_unit_test(one_that_does_not_fit_beside_the_others_is_absent_until_there_is_room),
        cmocka_unit_test(bytes_beyond_the_ceiling_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
