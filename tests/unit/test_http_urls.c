#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_urls.h"

#include <stdio.h>

static void a_url_is_taken_apart_once_and_stays_as_it_is(void **state) {
    (void)state;
    struct http_urls urls = {.count = 0};
    CURLU *parts = http_urls_find(&urls, "https://h:8443/a/../b//c");
    assert_non_null(parts);
    assert_ptr_equal(http_urls_find(&urls, "https://h:8443/a/../b//c"), parts);
    assert_ptr_not_equal(http_urls_find(&urls, "https://h:8443/"), parts);
    assert_int_equal(urls.count, 2);
    char *path = NULL;
    assert_int_equal(curl_url_get(parts, CURLUPART_PATH, &path, 0), CURLUE_OK);
    assert_string_equal(path, "/a/../b//c");
    curl_free(path);
    http_urls_free(&urls);
    assert_int_equal(urls.count, 0);
    http_urls_free(&urls);
}

static void what_is_no_url_is_not_kept(void **state) {
    (void)state;
    struct http_urls urls = {.count = 0};
    assert_null(http_urls_find(&urls, "no url"));
    assert_null(http_urls_find(&urls, ""));
    assert_int_equal(urls.count, 0);
}

static void beyond_their_number_they_are_not_kept(void **state) {
    (void)state;
    struct http_urls urls = {.count = 0};
    char text[32];
    for (unsigned i = 0; i < HTTP_URLS_MAX; i++) {
        (void)snprintf(text, sizeof text, "http://h/%u", i);
        assert_non_null(http_urls_find(&urls, text));
    }
    assert_null(http_urls_find(&urls, "http://h/more"));
    assert_non_null(http_urls_find(&urls, "http://h/0"));
    http_urls_free(&urls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart_once_and_stays_as_it_is),
        cmocka_unit_test(what_is_no_url_is_not_kept),
        cmocka_unit_test(beyond_their_number_they_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
