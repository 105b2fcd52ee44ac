#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_headers.h"

#include <string.h>

static void take(struct http_headers *h, const char *line) {
    assert_true(http_headers_take(h, span_cstr(line)));
}

static void assert_header(const struct http_headers *h, enum http_header header, const char *expected) {
    struct span value = http_headers_get(h, header);
    assert_true(expected ? value.data && span_is(value, expected) : !value.data);
}

static void what_is_kept_comes_trimmed_whatever_its_case(void **state) {
    (void)state;
    struct http_headers h = {0};
    take(&h, "HTTP/1.1 200 OK\r\n");
    take(&h, "DATE: \t Sun, 06 Nov 1994 08:49:37 GMT \r\n");
    take(&h, "x-amz-CRC32:7\r\n");
    take(&h, "x-amzn-requestid:\r\n");
    take(&h, "retry-after : 5\r\n");
    take(&h, "no colon\r\n");
    take(&h, "");
    take(&h, "\r\n");
    assert_header(&h, HTTP_DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_header(&h, HTTP_CRC32, "7");
    assert_header(&h, HTTP_REQUEST_ID, "");
    assert_header(&h, HTTP_RETRY_AFTER, NULL);
    assert_header(&h, HTTP_ERROR_TYPE, NULL);
}

static void a_status_line_begins_anew(void **state) {
    (void)state;
    struct http_headers h = {0};
    take(&h, "HTTP/1.1 100 Continue\r\n");
    take(&h, "Date: then\r\n");
    take(&h, "HTTP/1.1 200 OK\r\n");
    assert_header(&h, HTTP_DATE, NULL);
    take(&h, "Date: now\r\n");
    take(&h, "HTTP\r\n");
    assert_header(&h, HTTP_DATE, "now");
    http_headers_reset(&h);
    assert_header(&h, HTTP_DATE, NULL);
}

static void the_last_of_one_name_holds_but_for_one_too_long(void **state) {
    (void)state;
    struct http_headers h = {0};
    char line[KEPT_HEADER_SIZE + 8];
    memset(line, 'x', sizeof line);
    memcpy(line, "Date: ", 6);
    take(&h, "Date: first\n");
    assert_true(http_headers_take(&h, span_of(line, 6 + KEPT_HEADER_SIZE)));
    assert_header(&h, HTTP_DATE, "first");
    assert_true(http_headers_take(&h, span_of(line, 6 + KEPT_HEADER_SIZE - 1)));
    assert_int_equal(http_headers_get(&h, HTTP_DATE).len, KEPT_HEADER_SIZE - 1);
}

static void lines_beyond_the_ceiling_are_refused(void **state) {
    (void)state;
    static const char long_line[HEADERS_CEILING] = "A: b";
    struct http_headers h = {0};
    assert_true(http_headers_take(&h, span_of(long_line, HEADERS_CEILING - 4)));
    take(&h, "c:\r\n");
    assert_false(http_headers_take(&h, SPAN("d")));
    http_headers_reset(&h);
    take(&h, "Date: now\r\n");
    assert_header(&h, HTTP_DATE, "now");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_comes_trimmed_whatever_its_case),
        cmocka_unit_test(a_status_line_begins_anew),
        cmocka_unit_test(the_last_of_one_name_holds_but_for_one_too_long),
        cmocka_unit_test(lines_beyond_the_ceiling_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
