#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "url.h"

#include <stdio.h>
#include <string.h>

/* In one line: "https://host:443/ host host /path ?query user fragment". */
static void assert_read(const char *text, const char *expected) {
    struct url url;
    char line[400];
    if (url_read(text, &url, NULL) != URL_FINE) {
        fail_msg("%s", text);
    }
    (void)snprintf(line, sizeof line, "%s %s %s %s%s%s%s%s", url.origin, url.authority, url.host, url.path,
                   url.query ? " ?" : "", url.query ? url.query : "", url.has_user ? " user" : "",
                   url.has_fragment ? " fragment" : "");
    assert_string_equal(line, expected);
    assert_int_equal(url.is_tls, strncmp(url.origin, "https:", 6) == 0);
    url_free(&url);
    url_free(&url);
}

static void a_url_has_its_parts(void **state) {
    (void)state;
    assert_read("https://a.example/x", "https://a.example:443/ a.example a.example /x");
    assert_read("http://a.example", "http://a.example:80/ a.example a.example /");
    assert_read("HTTP://a.example:8000/x/y?z=1&w", "http://a.example:8000/ a.example:8000 a.example /x/y ?z=1&w");
    assert_read("https://[::1]:8443/x", "https://[::1]:8443/ [::1]:8443 [::1] /x");
    assert_read("https://user:word@a.example/#x", "https://a.example:443/ a.example a.example / user fragment");
    assert_read("https://:word@a.example/", "https://a.example:443/ a.example a.example / user");
}

static void a_port_stands_in_the_authority_where_it_is_not_the_schemes_own(void **state) {
    (void)state;
    assert_read("https://a.example:443/", "https://a.example:443/ a.example a.example /");
    assert_read("http://a.example:443/", "http://a.example:443/ a.example:443 a.example /");
    assert_read("https://a.example:80/", "https://a.example:80/ a.example:80 a.example /");
}

/* It is signed so. */
static void the_path_and_the_query_stay_as_they_are(void **state) {
    (void)state;
    assert_read("http://a.example/a/../b//c%2f?d=%20&e=/..", "http://a.example:80/ a.example a.example /a/../b//c%2f "
                                                             "?d=%20&e=/..");
}

/* It says which of the machine's networks an address is in. */
static void the_zone_of_an_address_is_a_part_of_its_origin(void **state) {
    (void)state;
    assert_read("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]:80/ [fe80::1] [fe80::1] /");
}

static void the_host_is_what_libcurl_takes_for_it(void **state) {
    (void)state;
    assert_read("http://a.example@b.example/", "http://b.example:80/ b.example b.example / user");
    assert_read("http://127.1/", "http://127.0.0.1:80/ 127.0.0.1 127.0.0.1 /");
}

static void what_is_no_url_is_told_from_another_scheme(void **state) {
    static const char *const none[] = {"",
                                       "x",
                                       "/x",
                                       "a.example",
                                       "http://",
                                       "http:///",
                                       "http://:80/",
                                       "http://a b/",
                                       "http://a.example:65536/",
                                       "http://a.example:0/",
                                       "http://[::1/",
                                       "http://a\r\nX: y/"};
    static const char *const others[] = {"ftp://a.example/", "file:///etc/passwd", "ws://a.example/", "odd://x/"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(none); i++) {
        struct url url;
        const char *why = NULL;
        if (url_read(none[i], &url, &why) != URL_NONE) {
            fail_msg("%s", none[i]);
        }
        assert_non_null(why);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        struct url url;
        if (url_read(others[i], &url, NULL) != URL_NOT_HTTP) {
            fail_msg("%s", others[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_has_its_parts),
        cmocka_unit_test(a_port_stands_in_the_authority_where_it_is_not_the_schemes_own),
        cmocka_unit_test(the_path_and_the_query_stay_as_they_are),
        cmocka_unit_test(the_zone_of_an_address_is_a_part_of_its_origin),
        cmocka_unit_test(the_host_is_what_libcurl_takes_for_it),
        cmocka_unit_test(what_is_no_url_is_told_from_another_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
